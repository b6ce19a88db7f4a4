"""What the record says right now: of one customer in one statement, and of a store's stock in another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import orjson
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros
from journey.quick_statements import rows
from recommender.catalogue import Catalogue

SHOWN_WITHIN = timedelta(days=60)


class Bought(NamedTuple):
    """A customer's purchases of one product: microseconds UTC of the first and last, and on how many local days."""

    first: int
    last: int
    days: int


class Shown(NamedTuple):
    """How a product fared with a customer lately: days on which it was shown, when it was last declined
    (microseconds UTC, 0 never), and whether it ever met with interest.
    """

    days: int
    declined: int
    interest: bool


@dataclass(frozen=True)
class Moment:
    """What is known of one customer. `present` is False for ids that nobody has, that were merged into another or
    erased; `consent` is None where unknown. Products stand by their numbers in the model; `dismissed` maps one to when
    that runs out (None: never).
    """

    present: bool = False
    consent: bool | None = None
    bought: dict[int, Bought] = field(default_factory=dict)
    shown: dict[int, Shown] = field(default_factory=dict)
    dismissed: dict[int, int | None] = field(default_factory=dict)


NOBODY: Final = Moment()

# One UNION ALL instead of four statements: over a network the trips cost more than the reading, and in process
# every statement costs more than its few rows. Both databases read it.
_PERSON = """
SELECT 'customer' AS what, CASE WHEN erased_at IS NULL THEN merged_into ELSE '' END AS product_id,
       CASE WHEN erased_at IS NOT NULL THEN 0 WHEN consent_profiling IS NULL THEN -1
            WHEN consent_profiling THEN 1 ELSE 0 END AS a, 0 AS b, 0 AS c
  FROM customers WHERE customer_id = {customer}
UNION ALL
SELECT 'bought', product_id, sold_at, local_day, 0
  FROM pos_lines WHERE customer_id = {customer} AND quantity > 0
UNION ALL
SELECT 'shown', s.product_id, COUNT(DISTINCT s.shown_at / 86400000000),
       COALESCE(MAX(CASE WHEN o.result = 'declined' THEN o.occurred_at END), 0),
       MAX(CASE WHEN o.result IN ('bought', 'considering') THEN 1 ELSE 0 END)
  FROM suggestions s LEFT JOIN outcomes o ON o.suggestion_id = s.suggestion_id AND o.current
 WHERE s.customer_id = {customer} AND s.shown_at >= {since} AND (s.arm IS NULL OR s.arm <> 'holdout')
 GROUP BY s.product_id
UNION ALL
SELECT 'dismissed', product_id, dismissed_at, COALESCE(until, 0), 0 FROM dismissals WHERE customer_id = {customer}
"""
_STOCK = "SELECT product_id, quantity FROM stock WHERE store_id = {store} AND product_id {among}"
_PERSON_SQLITE = _PERSON.format(customer=":customer", since=":since")
_PERSON_POSTGRES = _PERSON.format(customer="%(customer)s", since="%(since)s")
_STOCK_SQLITE = _STOCK.format(store=":store", among="IN (SELECT value FROM json_each(:products))")
_STOCK_POSTGRES = _STOCK.format(store="%(store)s", among="= ANY(%(products)s)")


def read_moment(session: Session, catalogue: Catalogue, customer_id: str, *, now: datetime) -> Moment:
    """Consent, purchases, and what was shown, declined and dismissed; products that the model does not know are left
    out.
    """
    statement = _PERSON_SQLITE if is_sqlite(session) else _PERSON_POSTGRES
    bound = {"customer": customer_id, "since": to_micros(now - SHOWN_WITHIN)}
    number = catalogue.number
    present, consent = False, None
    lines: list[tuple[int, int, int]] = []
    shown: dict[int, Shown] = {}
    dismissed: dict[int, int | None] = {}
    for what, product_id, a, b, c in rows(session, statement, bound):
        if what == "bought":
            lines.append((a, b, number(product_id)))
        elif what == "shown":
            shown[number(product_id)] = Shown(int(a), int(b), bool(c))
        elif what == "dismissed":
            dismissed[number(product_id)] = int(b) or None
        else:
            present, consent = product_id is None, None if a < 0 else bool(a)
    bought = _by_product(lines)
    for known in (bought, shown, dismissed):
        known.pop(-1, None)
    return Moment(present, consent, bought, shown, dismissed)


def read_stock(session: Session, store_id: str, products: list[str]) -> dict[str, float]:
    """The last count of each product in the store; what nobody has counted is left out."""
    if is_sqlite(session):
        found = rows(session, _STOCK_SQLITE, {"store": store_id, "products": orjson.dumps(products).decode()})
    else:
        found = rows(session, _STOCK_POSTGRES, {"store": store_id, "products": products})
    return dict(found)


def _by_product(lines: list[tuple[int, int, int]]) -> dict[int, Bought]:
    """Time, local day and product of every line → first, last and number of days by product.

    Done here because grouping the hundred lines of a customer costs SQLite twice what it takes to read them.
    """
    lines.sort()
    bought: dict[int, Bought] = {}
    last_day: dict[int, int] = {}
    for at, day, product in lines:
        earlier = bought.get(product)
        if earlier is None:
            bought[product] = Bought(at, at, 1)
        else:
            bought[product] = Bought(earlier.first, at, earlier.days + (last_day[product] != day))
        last_day[product] = day
    return bought
