"""What the record says of one customer in one store right now: one statement, one round trip."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy.orm import Session

from journey.database import is_sqlite, to_micros

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
    """`consent` is None where unknown; `dismissed` maps a product to when that runs out (None: never)."""

    known: bool = False
    consent: bool | None = None
    bought: dict[str, Bought] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)
    dismissed: dict[str, int | None] = field(default_factory=dict)
    stock: dict[str, float] = field(default_factory=dict)

    def with_stock(self, stock: dict[str, float]) -> Moment:
        """The same with the stock of further products."""
        return replace(self, stock=self.stock | stock)


# One UNION ALL instead of five statements: over a network the trips cost more than the reading, and in process
# every statement costs more than its few rows. Both databases read it; only the list of products is bound apart.
_PERSON = """
SELECT 'customer' AS what, customer_id AS product_id,
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
UNION ALL
"""
_STOCK = """
SELECT 'stock' AS what, product_id, quantity AS a, 0 AS b, 0 AS c FROM stock
 WHERE store_id = {store} AND product_id {among}
"""
_NAMES = ("customer", "since", "store", "products")
_SQLITE = {name: f":{name}" for name in _NAMES} | {"among": "IN (SELECT value FROM json_each(:products))"}
_POSTGRES = {name: f"%({name})s" for name in _NAMES} | {"among": "= ANY(%(products)s)"}
_STATEMENTS = {
    (sqlite, person): ((_PERSON if person else "") + _STOCK).format(**(_SQLITE if sqlite else _POSTGRES))
    for sqlite in (True, False)
    for person in (True, False)
}


def read_moment(
    session: Session, *, customer_id: str | None, store_id: str, products: list[str], now: datetime
) -> Moment:
    """Consent, purchases, what was shown, declined and dismissed, and the stock of `products` in the store."""
    sqlite = is_sqlite(session)
    among = orjson.dumps(products).decode() if sqlite else products
    bound: dict[str, Any] = {"store": store_id, "products": among}
    if customer_id is not None:
        bound |= {"customer": customer_id, "since": to_micros(now - SHOWN_WITHIN)}
    statement = _STATEMENTS[sqlite, customer_id is not None]
    known, consent = False, None
    lines: list[tuple[float, float, str]] = []
    shown: dict[str, Shown] = {}
    dismissed: dict[str, int | None] = {}
    stock: dict[str, float] = {}
    for what, product_id, a, b, c in session.connection().exec_driver_sql(statement, bound).fetchall():
        if what == "stock":
            stock[product_id] = float(a)
        elif what == "bought":
            lines.append((a, b, product_id))
        elif what == "shown":
            shown[product_id] = Shown(int(a), int(b), bool(c))
        elif what == "dismissed":
            dismissed[product_id] = int(b) or None
        else:
            known, consent = True, None if a < 0 else bool(a)
    return Moment(known, consent, _by_product(lines), shown, dismissed, stock)


def _by_product(lines: list[tuple[float, float, str]]) -> dict[str, Bought]:
    """Time, local day and product of every line → first, last and number of days by product.

    Done here because grouping the hundred lines of a customer costs SQLite twice what it takes to read them.
    """
    lines.sort()
    bought: dict[str, Bought] = {}
    last_day: dict[str, float] = {}
    for at, day, product_id in lines:
        earlier = bought.get(product_id)
        if earlier is None:
            bought[product_id] = Bought(int(at), int(at), 1)
        else:
            bought[product_id] = Bought(earlier.first, int(at), earlier.days + (last_day[product_id] != day))
        last_day[product_id] = day
    return bought
