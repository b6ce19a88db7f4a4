"""Stores what pages sent: several requests in one transaction, in as few statements as the database allows.

Pages send events singly, thousands in a minute, and each must be durable before it is acknowledged; so what costs here
is the number of commits and statements. PostgreSQL does it all in one statement. What of it anybody may send: a product
that the catalogue does not have is left out, and who made the event is only told by the links of the record.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Pool, select
from sqlalchemy.orm import Session

from journey.database import from_micros, writing
from journey.erasures import Erasure, digest
from journey.fact_days import MICROSECONDS
from journey.intake.browser_events import PageEvents
from journey.intake.plain_loading import known_ids
from journey.intake.rows import import_rows
from journey.linking import IDENTIFIERS
from journey.quick_statements import connections
from journey.web import stored_events

SOURCE: Final = "/web/events"
GIVEN: Final = ("event_id", "occurred_at", "visitor_id", "session_id", "kind", "product_id", "content_id", "page",
                "query", "referrer")  # fmt: skip
_KINDS: Final = (IDENTIFIERS["web_events"] or ("", ()))[1]
# The One ID that a visitor leads to, and the product if there is such; as scalar subqueries, so that the planner looks
# each up by its key however large the tables are.
_OWNER: Final = (
    "(SELECT i.customer_id FROM identities i WHERE i.value = g.visitor_id AND i.kind IN ({kinds}) "
    "ORDER BY CASE i.kind {order} END LIMIT 1)"
).format(
    kinds=", ".join(f"'{kind}'" for kind in _KINDS),
    order=" ".join(f"WHEN '{kind}' THEN {rank}" for rank, kind in enumerate(_KINDS)),
)
_PRODUCT: Final = "(SELECT p.product_id FROM products p WHERE p.product_id = g.product_id)"
_COLUMNS: Final = ", ".join((*GIVEN, "customer_id"))
_VALUES: Final = ", ".join([_PRODUCT if name == "product_id" else f"g.{name}" for name in GIVEN] + [_OWNER])
_MARK: Final = "ON CONFLICT (table_name, day) DO UPDATE SET token = excluded.token"

# Erased is who has a digest among the erasures; and for safety all, where somebody was erased with a salt that this
# process has not met yet. Looked at anew each time: an erasure holds from its commit on.
_POSTGRES: Final = f"""
WITH given AS (
  SELECT g.*, (SELECT count(*) FROM erasures WHERE salt <> ALL(%s)) > 0
    OR EXISTS (SELECT 1 FROM erasures e WHERE e.digest = ANY(string_to_array(g.digests, ' '))) AS erased
  FROM unnest({", ".join("%s::bigint[]" if name == "occurred_at" else "%s::text[]" for name in (*GIVEN, "digests"))})
  AS g({", ".join((*GIVEN, "digests"))})
), fresh AS (
  INSERT INTO web_events ({_COLUMNS}) SELECT {_VALUES} FROM given g WHERE NOT g.erased
  ON CONFLICT DO NOTHING RETURNING event_id, customer_id, product_id, occurred_at
), marked AS (
  INSERT INTO fact_days (table_name, day, token)
  SELECT 'web_events', d.day, %s FROM (SELECT DISTINCT occurred_at / {MICROSECONDS} AS day FROM fresh) d ORDER BY d.day
  {_MARK}
)
SELECT g.event_id, g.erased, f.event_id IS NOT NULL, f.customer_id, f.product_id
FROM given g LEFT JOIN fresh f ON f.event_id = g.event_id
"""
_SQLITE_NEW_SALT: Final = "SELECT 1 FROM erasures WHERE salt NOT IN (SELECT value FROM json_each(?)) LIMIT 1"
_SQLITE_ERASED: Final = "SELECT digest FROM erasures WHERE digest IN (SELECT value FROM json_each(?))"
_FIELDS: Final = ", ".join(f"json_extract(value, '$[{place}]') AS {name}" for place, name in enumerate(GIVEN))
_SQLITE_INSERT: Final = (
    f"WITH g AS MATERIALIZED (SELECT {_FIELDS} FROM json_each(?)) "
    f"INSERT INTO web_events ({_COLUMNS}) SELECT {_VALUES} FROM g WHERE true "
    "ON CONFLICT DO NOTHING RETURNING event_id, customer_id, product_id"
)
_SQLITE_MARK: Final = f"INSERT INTO fact_days (table_name, day, token) VALUES ('web_events', ?, ?) {_MARK}"
_salts: WeakKeyDictionary[Pool, list[str]] = WeakKeyDictionary()
"""The salts that this process has met; nearly always one, once anybody was erased."""


@dataclass(frozen=True)
class PageStored:
    """What became of one request's events: those stored now (as in :data:`journey.web.TOLD`), and how many there were
    already.
    """

    told: list[dict[str, Any]]
    known: int


def store_pages(engine: Engine, pages: Sequence[PageEvents], *, now: datetime, timezone: str) -> list[PageStored]:
    """Store the events of several requests in one transaction; what this returns is committed.

    Raises:
        DBAPIError: the database did not take them; nothing of the group is stored.
    """
    rows = {row["event_id"]: row for page in reversed(pages) for row in page.rows}
    told = {event["event_id"]: event for event in _stored_plainly(engine, rows, now=now, timezone=timezone)}
    results = []
    for page in pages:
        # who comes first has stored it, who brings it again in the same group knew it already
        fresh = [found for row in page.rows if (found := told.pop(row["event_id"], None)) is not None]
        results.append(PageStored(fresh, page.sent - page.refused - len(fresh)))
    return results


def _stored_plainly(
    engine: Engine, rows: dict[str, dict[str, Any]], *, now: datetime, timezone: str
) -> list[dict[str, Any]]:
    """Insert what is new and return it; events of erased persons go the careful way, which makes them anonymous."""
    if not rows:
        return []
    salts = _salts.get(engine.pool, [])
    given = [
        [
            *(row[name] for name in GIVEN),
            " ".join(digest(salt, kind, row["visitor_id"]) for salt in salts for kind in _KINDS),
        ]
        for _, row in sorted(rows.items())  # one order for all writers, so that no two wait for each other
    ]
    quick = connections(engine)
    with quick.transaction() as raw:
        fresh, erased = (_by_sqlite if quick.sqlite else _by_postgres)(raw, salts, given)
    told = []
    for event_id, customer_id, product_id in fresh:
        event = rows[event_id]
        told.append({
            "event_id": event_id, "occurred_at": from_micros(event["occurred_at"]), "kind": event["kind"],
            "product_id": product_id, "query": event["query"], "customer_id": customer_id,
            "visitor_id": event["visitor_id"],
        })  # fmt: skip
    if erased:
        _look_up_salts(engine)
        told += _stored_carefully(engine, [rows[event_id] for event_id in erased], now=now, timezone=timezone)
    return told


def _by_postgres(raw: Any, salts: list[str], given: list[list[Any]]) -> tuple[list[tuple[Any, ...]], list[str]]:
    """What was inserted (event, customer, product), and the events of erased persons."""
    bound = [salts, *(list(column) for column in zip(*given, strict=True)), secrets.randbits(62)]
    found = raw.execute(_POSTGRES, bound, prepare=True).fetchall()
    fresh = [(event, customer, product) for event, _, stored, customer, product in found if stored]
    return fresh, [event for event, erased, *_ in found if erased]


def _by_sqlite(raw: Any, salts: list[str], given: list[list[Any]]) -> tuple[list[tuple[Any, ...]], list[str]]:
    digests = [digest for *_, digests in given for digest in digests.split()]
    gone = {digest for (digest,) in raw.execute(_SQLITE_ERASED, (json.dumps(digests),))}
    everybody = raw.execute(_SQLITE_NEW_SALT, (json.dumps(salts),)).fetchone() is not None
    kept = [row for row in given if not everybody and gone.isdisjoint(row[-1].split())]
    fresh = raw.execute(_SQLITE_INSERT, (json.dumps(kept),)).fetchall()
    stored = {event for event, *_ in fresh}
    for day in sorted({row[1] // MICROSECONDS for row in kept if row[0] in stored}):
        raw.execute(_SQLITE_MARK, (day, secrets.randbits(62)))
    return fresh, sorted({row[0] for row in given} - {row[0] for row in kept})


def _stored_carefully(
    engine: Engine, rows: list[dict[str, Any]], *, now: datetime, timezone: str
) -> list[dict[str, Any]]:
    """The way of all other rows, for what needs it."""
    with writing(engine) as session:
        known = {event["event_id"] for event in stored_events(session, [row["event_id"] for row in rows])}
        products = known_ids(session.connection(), "products", {row["product_id"] for row in rows} - {None})
        fresh = [
            {name: value for name, value in row.items() if value is not None}
            | {"occurred_at": from_micros(row["occurred_at"]).isoformat()}
            | ({} if row["product_id"] in products else {"product_id": None})
            for row in rows
            if row["event_id"] not in known
        ]
        import_rows(session, "web_events", fresh, source=SOURCE, now=now, timezone=timezone, keep_rejected=False)
        return stored_events(session, [row["event_id"] for row in fresh])


def _look_up_salts(engine: Engine) -> None:
    """Remember the salts of the digests."""
    with Session(engine) as session:
        _salts[engine.pool] = list(session.scalars(select(Erasure.salt).distinct()))
