from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from journey.database import to_micros
from journey.intake.cells import as_text, read
from journey.intake.checking import check
from journey.intake.layout import Column, Kind
from journey.intake.layouts import POS_LINES, WEB_EVENTS
from journey.intake.plain_rows import read_plain
from journey.intake.rows import _batch
from journey.intake.times import Zones
from journey.intake.writing_out import money_text

TOKYO = Zones("Asia/Tokyo", {})


def values(kind: Kind, *texts: str | None) -> list[Any]:
    return read(Column("x", kind), pl.Series(list(texts), dtype=pl.String), "Asia/Tokyo").values.to_list()


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05T12:00:00+09:00", datetime(2026, 1, 5, 3, tzinfo=UTC)),
        ("2026-01-05T12:00:00.5Z", datetime(2026, 1, 5, 12, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-01-05 12:00", datetime(2026, 1, 5, 3, tzinfo=UTC)),
        ("2026-01-05T12:00:00-0330", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("2026-01-05T12:00:00,123456+09", datetime(2026, 1, 5, 3, 0, 0, 123_456, tzinfo=UTC)),
        ("20260105T120000Z", datetime(2026, 1, 5, 12, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 4, 15, tzinfo=UTC)),
        (" 2026-01-05 ", datetime(2026, 1, 4, 15, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 28, 15, tzinfo=UTC)),
    ],
)
def test_times_in_iso_8601(text: str, moment: datetime) -> None:
    assert values(Kind.INSTANT, text, None) == [to_micros(moment), None]


@pytest.mark.parametrize(
    "text", ["05/01/2026", "2026-13-01", "2025-02-29", "2026-01-05T24:30", "2026-01-05T12:00:00+9", "1767582000",
             "今日", "2026-01-05T12:00:00 JST", "0001-01-01", "9999-12-31"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    found = read(Column("x", Kind.INSTANT), pl.Series([text]), "Asia/Tokyo")
    assert found.bad is not None
    assert found.bad.to_list() == [True]


@given(st.lists(st.decimals(-(10**12), 10**12, places=6), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_money_is_exact_and_rounds_half_to_even(amounts: list[Decimal]) -> None:
    exact = [int((amount * 10_000).to_integral_value(ROUND_HALF_EVEN)) for amount in amounts]
    assert values(Kind.MONEY, *map(str, amounts)) == exact
    written = money_text(pl.Series(exact, dtype=pl.Int64)).to_list()
    assert [Decimal(text) * 10_000 for text in written] == exact
    assert all(not text.endswith(".") and ("." not in text or not text.endswith("0")) for text in written)


def test_floats_lose_their_point_only_where_they_are_whole() -> None:
    cells = pl.Series([1.0, 2.5, None, float("nan"), -0.25])
    assert as_text(cells).to_list() == ["1", "2.5", None, None, "-0.25"]


cell = st.one_of(
    st.none(), st.text(max_size=70), st.integers(-(10**12), 10**12), st.floats(), st.booleans(),
    st.sampled_from(["view", "cart", "store", "R1", "0", "1.5", "2026-01-05T12:00:00+09:00", "2026-01-05"]),
    st.datetimes(datetime(1899, 1, 1), datetime(2201, 1, 1),  # noqa: DTZ001 - the zone is drawn beside
                 timezones=st.sampled_from([UTC, timezone(timedelta(hours=9)), timezone(timedelta(minutes=-210))]))
    .map(datetime.isoformat),
)  # fmt: skip


@pytest.mark.parametrize("layout", [POS_LINES, WEB_EVENTS], ids=lambda layout: layout.name)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_short_way_reads_exactly_as_the_careful_one(layout: Any, data: st.DataObject) -> None:
    good = {"receipt_id": "R", "line_no": 1, "store_id": "S", "sold_at": "2026-01-05T12:00:00Z", "product_id": "P",
            "quantity": 1, "amount": 5, "event_id": "E", "occurred_at": "2026-01-05T12:00:00Z", "visitor_id": "V",
            "kind": "view"}  # fmt: skip
    names = [column.name for column in layout.columns]
    row = {name: good[name] for name in names if name in good}
    for name in data.draw(st.lists(st.sampled_from(names), max_size=3, unique=True)):
        row[name] = data.draw(cell, label=name)
    plain = read_plain(layout, [row])
    if plain is None or not plain.places:
        return
    careful = check(layout, _batch(layout, [(0, row)]).frame, TOKYO)
    assert careful.bad.is_empty(), careful.bad["reason"].to_list()
    stored = careful.good.row(0, named=True)
    for name, (value,) in plain.columns.items():
        assert stored[name] == value, name
