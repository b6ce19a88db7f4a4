"""What the record says right now: of one customer in one statement, and of a store's stock in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

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


_BOUGHT: Final = partial(tuple.__new__, Bought)
"""As Bought._make, without a call into Python for each product of a regular."""


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

# One statement and one row: over a network the trips cost more than the reading, and in process the driver gives the
# interpreter's lock away and takes it back for every row, a hundred times for a regular. Both databases write JSON.
_PERSON = """
SELECT c.customer_id, CASE WHEN c.erased_at IS NULL THEN c.merged_into ELSE '' END,
       CASE WHEN c.erased_at IS NULL THEN c.consent_profiling ELSE FALSE END,
       (SELECT {array}({group}(product_id), {group}(sold_at), {group}(local_day)){text}
          FROM pos_lines WHERE customer_id = {customer} AND quantity > 0),
       (SELECT {group}({array}(product_id, days, declined, interest)){text} FROM (
          SELECT s.product_id, COUNT(DISTINCT s.shown_at / 86400000000) AS days,
                 COALESCE(MAX(CASE WHEN o.result = 'declined' THEN o.occurred_at END), 0) AS declined,
                 MAX(CASE WHEN o.result IN ('bought', 'considering') THEN 1 ELSE 0 END) AS interest
            FROM suggestions s LEFT JOIN outcomes o ON o.suggestion_id = s.suggestion_id AND o.current
           WHERE s.customer_id = {customer} AND s.shown_at >= {since} AND (s.arm IS NULL OR s.arm <> 'holdout')
           GROUP BY s.product_id) AS shown),
       (SELECT {group}({array}(product_id, until)){text} FROM dismissals WHERE customer_id = {customer})
  FROM (SELECT 1 AS one) AS always LEFT JOIN customers c ON c.customer_id = {customer}
"""
_STOCK = "SELECT product_id, quantity FROM stock WHERE store_id = {store} AND product_id {among}"
_PERSON_SQLITE = _PERSON.format(
    customer=":customer", since=":since", array="json_array", group="json_group_array", text=""
)
_PERSON_POSTGRES = _PERSON.format(
    customer="%(customer)s", since="%(since)s", array="json_build_array", group="json_agg", text="::text"
)
_STOCK_SQLITE = _STOCK.format(store=":store", among="IN (SELECT value FROM json_each(:products))")
_STOCK_POSTGRES = _STOCK.format(store="%(store)s", among="= ANY(%(products)s)")
_NO_LINES: Final = "[[], [], []]"


def read_moment(session: Session, catalogue: Catalogue, customer_id: str, *, now: datetime) -> Moment:
    """Consent, purchases, and what was shown, declined and dismissed; products that the model does not know are left
    out.
    """
    statement = _PERSON_SQLITE if is_sqlite(session) else _PERSON_POSTGRES
    bound = {"customer": customer_id, "since": to_micros(now - SHOWN_WITHIN)}
    known_id, merged, consent, lines, shown, dismissed = rows(session, statement, bound)[0]
    number = catalogue.number
    products, sold, days = orjson.loads(lines or _NO_LINES)
    moment = Moment(
        present=known_id is not None and merged is None,
        consent=None if consent is None else bool(consent),
        bought=_by_product(sold or (), days or (), catalogue.numbers_of(products or ())),
        shown={number(one): Shown(n, declined, bool(interest)) for one, n, declined, interest in _loaded(shown)},
        dismissed={number(one): until for one, until in _loaded(dismissed)},
    )
    for known in (moment.bought, moment.shown, moment.dismissed):
        known.pop(-1, None)
    return moment


def read_stock(session: Session, store_id: str, products: list[str]) -> dict[str, float]:
    """The last count of each product in the store; what nobody has counted is left out."""
    if is_sqlite(session):
        found = rows(session, _STOCK_SQLITE, {"store": store_id, "products": orjson.dumps(products).decode()})
    else:
        found = rows(session, _STOCK_POSTGRES, {"store": store_id, "products": products})
    return dict(found)


def _loaded(listed: str | None) -> list[list[Any]]:
    """The rows of a JSON array; none where PostgreSQL aggregated nothing."""
    return list(orjson.loads(listed)) if listed else []


def _by_product(sold: Sequence[int], days: Sequence[int], products: Sequence[int]) -> dict[int, Bought]:
    """Time, local day and product of every line → first, last and number of days by product.

    Done here because grouping the hundred lines of a customer costs SQLite twice what it takes to read them.
    """
    bought: dict[int, Bought] = {}
    last_day: dict[int, int] = {}
    for at, day, product in sorted(zip(sold, days, products, strict=True)):
        earlier = bought.get(product)
        if earlier is None:
            bought[product] = _BOUGHT((at, at, 1))
        else:
            bought[product] = _BOUGHT((earlier[0], at, earlier[2] + (last_day[product] != day)))
        last_day[product] = day
    return bought
