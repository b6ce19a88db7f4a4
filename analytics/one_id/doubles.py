"""Customers who may be one person twice, with what speaks for and against it; a person decides.

Nothing is proposed on names alone: a chain of a million members has thousands of namesakes of the same age. An
identifier that both claim must come first (the same hash of e-mail or phone, the same cookie, the same card delivered
for both); name, birth year and area then raise or lower it.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import BigInteger, func, or_, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import TEXT, WHOLE, query_frame
from journey.customers import Customer
from journey.identity import KINDS, VISITOR_KINDS, Identity
from journey.identity_review import IdentityClaim, declared_different
from journey.intake.ledger import QuarantinedRow
from journey.purchases import PosLine

WEIGHTS = {
    "email_hash": 3.0, "phone_hash": 2.5, "card": 2.5, "ec_account": 3.0, "cookie": 2.0, "app": 2.5,
    "same_name": 2.0, "same_birth_year": 1.0, "same_area": 0.5,
    "other_birth_year": -3.0, "other_gender": -2.0, "other_name": -1.5, "two_places": -3.0,
}  # fmt: skip
LIKELY, POSSIBLE = 5.0, 2.0
AT_ONCE = 10 * 60 * 1_000_000
"""Within ten minutes nobody pays in two stores."""
MOST = 200


def doubles(session: Session, cookie_pairs: pl.DataFrame) -> list[dict[str, Any]]:
    """Pairs of customers: a, b, score, level (likely or possible), evidence, the strongest first.

    ``evidence`` is a list of {"kind", "weight"}; negative weights speak against it.
    """
    shared: dict[tuple[str, str], set[str]] = {}
    for a, b, kind in _claimed_by_two(session):
        shared.setdefault((min(a, b), max(a, b)), set()).add(kind)
    for a, b in cookie_pairs.select("a", "b").iter_rows():
        shared.setdefault((a, b), set()).add("cookie")
    for pair in declared_different(session):
        shared.pop(pair, None)
    people = _people(session, {customer for pair in shared for customer in pair})
    at_once = _in_two_places(session, list(shared))
    found: list[dict[str, Any]] = []
    for (a, b), kinds in shared.items():
        if a not in people or b not in people:
            continue  # erased or merged meanwhile
        evidence = [*sorted(kinds), *_alike(people[a], people[b]), *(["two_places"] if (a, b) in at_once else [])]
        score = sum(WEIGHTS[kind] for kind in evidence)
        if score >= POSSIBLE:
            level = "likely" if score >= LIKELY else "possible"
            listed = [{"kind": kind, "weight": WEIGHTS[kind]} for kind in evidence]
            found.append({"a": a, "b": b, "score": score, "level": level, "evidence": listed})
    return sorted(found, key=lambda pair: (-pair["score"], pair["a"], pair["b"]))[:MOST]


def _claimed_by_two(session: Session) -> list[tuple[str, str, str]]:
    """(customer, customer, kind): identifiers that lead to one and were delivered or claimed for the other."""
    claims = session.execute(
        select(Identity.customer_id, IdentityClaim.customer_id, IdentityClaim.kind)
        .join(Identity, (Identity.kind == IdentityClaim.kind) & (Identity.value == IdentityClaim.value))
        .where(IdentityClaim.kind.not_in(VISITOR_KINDS))
    ).all()
    found = [(a, b, kind) for a, b, kind in claims if a != b]
    kept_out = session.execute(
        select(QuarantinedRow.raw).where(QuarantinedRow.table_name == "identities", QuarantinedRow.kind == "conflict")
    ).scalars()
    delivered = [
        (str(raw["kind"]), str(raw["value"]), str(raw["customer_id"]))
        for raw in kept_out
        if raw.get("kind") in KINDS and raw.get("value") and raw.get("customer_id")
    ]
    for kind, value, customer in delivered:
        link = session.get(Identity, (kind, value))
        if link is not None:
            found.append((link.customer_id, _one_id(session, customer), kind))
    return [(a, b, kind) for a, b, kind in found if a != b]


def _one_id(session: Session, customer: str) -> str:
    return session.scalar(select(Customer.merged_into).where(Customer.customer_id == customer)) or customer


def _people(session: Session, customers: set[str]) -> dict[str, Customer]:
    found = select(Customer).where(
        Customer.customer_id.in_(customers), Customer.merged_into.is_(None), Customer.erased_at.is_(None)
    )
    return {one.customer_id: one for one in session.scalars(found)}


def _alike(a: Customer, b: Customer) -> list[str]:
    """What master data say of two customers; unknown says nothing."""
    evidence = []
    if a.search_key and b.search_key:
        evidence.append("same_name" if a.search_key == b.search_key else "other_name")
    if a.birth_year and b.birth_year:
        evidence.append("same_birth_year" if a.birth_year == b.birth_year else "other_birth_year")
    if a.area and b.area and a.area == b.area:
        evidence.append("same_area")
    if a.gender and b.gender and a.gender != b.gender:
        evidence.append("other_gender")
    return evidence


def _in_two_places(session: Session, pairs: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Pairs who paid in two stores within ten minutes."""
    wanted = {customer for pair in pairs for customer in pair}
    if not wanted:
        return set()
    counter = or_(PosLine.channel.is_(None), PosLine.channel == "store")
    receipts = query_frame(
        session,
        select(PosLine.customer_id, PosLine.store_id, func.min(type_coerce(PosLine.sold_at, BigInteger)))
        .where(PosLine.customer_id.in_(wanted), PosLine.quantity > 0, counter)
        .group_by(PosLine.customer_id, PosLine.store_id, PosLine.receipt_id),
        {"customer_id": TEXT, "store_id": TEXT, "at": WHOLE},
    ).sort("at")
    asked = pl.DataFrame(pairs, schema={"a": pl.String, "b": pl.String}, orient="row")
    mine = asked.join(receipts.rename({"customer_id": "a"}), on="a")
    theirs = receipts.rename({"customer_id": "b", "store_id": "other"}).with_columns(other_at=pl.col("at"))
    near = mine.sort("at").join_asof(
        theirs, on="at", by="b", strategy="nearest", tolerance=AT_ONCE, check_sortedness=False
    )
    apart = near.filter(pl.col("other").is_not_null() & (pl.col("other") != pl.col("store_id")))
    return set(apart.select("a", "b").unique().iter_rows())
