"""The public data sets beside the checkout, imported as they are; skipped where they are absent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine

from journey.database import connect
from journey.intake.folder import import_folder
from journey.lake import refresh, scan
from tests.journey.extracts import NOW, books, rows_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture
def embedded(sqlite_url: str) -> Iterator[Engine]:
    engine = connect(sqlite_url)
    yield engine
    engine.dispose()


def test_ta_feng(embedded: Engine, shared_data: Path, tmp_path: Path) -> None:
    summary = import_folder(embedded, shared_data / "ta-feng", now=NOW)
    assert books(summary, "pos_lines") == (480_611, 480_611, 0, 0, 0, 0)
    assert rows_of(embedded, "SELECT count(*) FROM customers") == [(13_858,)]
    assert rows_of(embedded, "SELECT count(*) FROM products WHERE stub") == [(11_997,)]
    refresh(embedded, tmp_path)
    lines = scan(tmp_path, "pos_lines").select(pl.len(), pl.col("local_day").n_unique()).collect()
    days = rows_of(embedded, "SELECT count(DISTINCT local_day) FROM pos_lines")[0][0]
    assert lines.row(0) == (480_611, days)


def test_uci_retail(embedded: Engine, shared_data: Path) -> None:
    summary = import_folder(embedded, shared_data / "uci-retail", now=NOW)
    assert books(summary, "pos_lines") == (240_513, 240_513, 0, 0, 0, 0)
    assert rows_of(embedded, "SELECT count(*) FROM pos_lines WHERE customer_id IS NULL") == [(66_364,)]  # un-carded
    named = rows_of(embedded, "SELECT name FROM products WHERE product_id = 'P00001'")
    assert named == [("LUNCH BAG DOILEY PATTERN ",)]


def test_complete_journey(embedded: Engine, shared_data: Path) -> None:
    folder = shared_data / "complete-journey"
    summary = import_folder(embedded, folder, now=NOW)
    for table, rows in (("products", 92_331), ("customers", 801), ("coupons", 1_197), ("coupon_grants", 2_075)):
        assert books(summary, table)[:2] == (rows, rows)
    assert books(summary, "pos_lines") == (75_000, 74_584, 0, 0, 416, 0)
    assert rows_of(embedded, "SELECT DISTINCT reason FROM quarantine") == [("quantity '0' must not be 0",)]
    assert rows_of(embedded, "SELECT sum(amount) FROM pos_lines") == [(exact_total(folder / "pos_lines.csv.gz"),)]
    again = import_folder(embedded, folder, now=NOW)
    assert all(table.unchanged + table.quarantined == table.read for table in again.tables)
    assert rows_of(embedded, "SELECT count(*) FROM quarantine") == [(416,)]


def exact_total(path: Path) -> int:
    """Ten-thousandths of what was taken on lines with a quantity, summed exactly."""
    lines = pl.read_csv(path, infer_schema=False).filter(pl.col("quantity") != "0")
    return int(sum(Decimal(amount) for amount in lines["amount"]) * 10_000)
