"""From what a clerk types or scans to the customer: any member code, the name, or its reading."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from journey.customers import Customer
from journey.database import is_sqlite
from journey.errors import NotFound
from journey.identity import Identity
from journey.purchases import PosLine
from journey.quick_statements import rows
from journey.search import search_form

# NW-7 (Codabar) frames its digits by A-D, CODE39 by *; some scanners send these, some do not.
FRAMES = re.compile(r"^[A-Da-d*]([0-9\-$:/.+]+|[^*]+)[A-Da-d*]$")
MERGES_FOLLOWED = 20
MERGED_INTO = {
    sqlite: f"SELECT merged_into, erased_at FROM customers WHERE customer_id = {mark}"
    for sqlite, mark in ((True, ":wanted"), (False, "%(wanted)s"))
}
CODE_KINDS = ("card", "app", "ec_account")


def possible_codes(typed: str) -> list[str]:
    """The member codes that a scan or typed text may stand for, as scanned first."""
    raw = unicodedata.normalize("NFKC", typed).strip()
    codes = [typed.strip(), raw]
    bare = FRAMES.match(raw)
    if bare:
        codes.append(bare[1])
    codes += [re.sub(r"[\s\-]", "", code) for code in (raw, *((bare[1],) if bare else ()))]
    # a card may be recorded with its NW-7 frame while the scanner leaves it out; letters agree by convention
    digits = codes[-1]
    if digits.isdigit():
        codes += [f"{letter}{digits}{letter}" for letter in "ABCDabcd"]
    return [code for code in dict.fromkeys(codes) if code]


@dataclass(frozen=True)
class Found:
    """A customer that matches; ``exact`` where a code named this one person."""

    customer_id: str
    name: str | None
    kana: str | None
    tier: str | None
    exact: bool
    last_visit_at: datetime | None = None


def find_customers(session: Session, typed: str, *, limit: int = 20) -> list[Found]:
    """Customers by member code (any symbology, app or shop account, customer id), else by name or reading.

    A code that names somebody is the only answer; it leads to the One ID also where two customers were merged.
    """
    typed = typed.strip()
    if not typed:
        return []
    by_code = _by_code(session, possible_codes(typed))
    found = [(customer, True) for customer in by_code] or [(c, False) for c in _by_name(session, typed, limit)]
    visits = _last_visits(session, [customer.customer_id for customer, _ in found])
    return [
        Found(c.customer_id, c.name, c.kana, c.tier, exact, visits.get(c.customer_id)) for c, exact in found[:limit]
    ]


def current_customer(session: Session, customer_id: str) -> Customer:
    """The One ID that an id leads to today.

    Raises:
        NotFound: nobody has this id, or the person was erased.
    """
    customer = session.get(Customer, customer_id)
    for _ in range(MERGES_FOLLOWED):
        if customer is None or customer.merged_into is None:
            break
        customer = session.get(Customer, customer.merged_into)
    if customer is None or customer.erased_at is not None:
        raise _nobody(customer_id)
    return customer


def one_id(session: Session, customer_id: str) -> str:
    """The id of the One ID that an id leads to today; cheaper than the whole row.

    Raises:
        NotFound: nobody has this id, or the person was erased.
    """
    wanted = customer_id
    for _ in range(MERGES_FOLLOWED):
        found = rows(session, MERGED_INTO[is_sqlite(session)], {"wanted": wanted})
        if not found or found[0][1] is not None:
            break
        if found[0][0] is None:
            return wanted
        wanted = found[0][0]
    raise _nobody(customer_id)


def _nobody(customer_id: str) -> NotFound:
    return NotFound(
        f"no customer {customer_id!r}", where="customer_id", what_to_do="search by name or scan the card again"
    )


def _by_code(session: Session, codes: Sequence[str]) -> list[Customer]:
    linked = aliased(Identity)
    ids = session.scalars(
        select(linked.customer_id).where(linked.value.in_(codes), linked.kind.in_(CODE_KINDS)).distinct()
    ).all()
    ids = [*ids, *session.scalars(select(Customer.customer_id).where(Customer.customer_id.in_(codes)))]
    people: dict[str, Customer] = {}
    for customer_id in ids:
        try:
            customer = current_customer(session, customer_id)
        except NotFound:
            continue
        people[customer.customer_id] = customer
    return list(people.values())


def _by_name(session: Session, typed: str, limit: int) -> list[Customer]:
    wanted = search_form(typed)
    if not wanted:
        return []
    pattern = f"%{_escaped(wanted)}%"
    raw = f"%{_escaped(unicodedata.normalize('NFKC', typed))}%"
    statement = (
        select(Customer)
        .where(
            Customer.merged_into.is_(None),
            Customer.erased_at.is_(None),
            or_(
                Customer.search_key.like(pattern, escape="\\"),
                # rows that came without a search key
                Customer.search_key.is_(None) & Customer.name.like(raw, escape="\\"),
                Customer.search_key.is_(None) & Customer.kana.like(pattern, escape="\\"),
            ),
        )
        .order_by(Customer.kana, Customer.customer_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def _last_visits(session: Session, customer_ids: Sequence[str]) -> dict[str, datetime]:
    rows = session.execute(
        select(PosLine.customer_id, func.max(PosLine.sold_at))
        .where(PosLine.customer_id.in_(customer_ids))
        .group_by(PosLine.customer_id)
    )
    return {customer_id: moment for customer_id, moment in rows if customer_id is not None}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
