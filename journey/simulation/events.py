"""Events of the stores: every other week a store gives advice on one kind of goods, over a weekend.

They are announced and held, and nobody buys more or less for them: a planted non-effect. The last ones lie in the two
weeks after the window, as a chain has them on its calendar.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from journey.simulation.days import Days
from journey.simulation.stores import Stores

SUBJECTS = ("スキンケア", "サプリ・健康", "オーラルケア", "ヘアケア")  # what people like to ask about
EVERY_DAYS = 14
AHEAD_DAYS = 14
SATURDAY = 5
SCHEMA = dict.fromkeys(("event_id", "name", "store_id", "starts_at", "ends_at", "category"), pl.String)


def events_table(days: Days, stores: Stores) -> pl.DataFrame:
    """The extract's ``store_events``; every store has one within the week after the window."""
    first = (SATURDAY - days.start.weekday()) % 7
    after = days.n + (SATURDAY - days.date_of(days.n).weekday()) % 7  # the first Saturday that is still to come
    rows: list[dict[str, str]] = []
    for store, store_id in enumerate(stores.ids[: stores.n]):
        past = range(first + 7 * (store % 2), days.n, EVERY_DAYS)
        for number, day in enumerate([*past, after, after + 7]):
            subject = SUBJECTS[(number + store) % len(SUBJECTS)]
            begins, ends = days.date_of(day), days.date_of(day) + timedelta(days=1)
            rows.append(
                {
                    "event_id": f"EV{len(rows) + 1:04d}",
                    "name": f"{subject}相談会",
                    "store_id": store_id,
                    "starts_at": f"{begins.isoformat()}T10:00:00+09:00",
                    "ends_at": f"{ends.isoformat()}T18:00:00+09:00",
                    "category": subject,
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def events_truth(table: pl.DataFrame) -> pl.DataFrame:
    """What the events change in what is bought: nothing."""
    return table.select("event_id", "store_id", "category", effect=pl.lit(0.0))
