from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Engine, update

from journey.customers import Customer
from journey.database import writing
from journey.errors import InputError
from journey.fact_days import FactDay
from journey.intake.folder import import_folder
from journey.intake.rows import import_rows
from journey.lake import refresh, scan
from journey.one_id import merge
from journey.outcomes import Outcome
from tests.journey.extracts import LINES, NOW, chain, line, write_table

DAYS = ["2026-01-05", "2026-01-06", "2026-01-07"]


@pytest.fixture
def home(engine: Engine, tmp_path: Path) -> Path:
    import_folder(engine, chain(tmp_path / "x"), now=NOW)
    refresh(engine, tmp_path)
    return tmp_path


def files(home: Path, table: str) -> list[str]:
    return sorted(path.stem for path in (home / "lake" / table).glob("*.parquet"))


def test_the_lake_holds_facts_by_day_in_natural_types(engine: Engine, home: Path) -> None:
    assert files(home, "pos_lines") == DAYS
    lines = scan(home, "pos_lines").collect()
    assert lines.schema["sold_at"] == pl.Datetime("us", "UTC")
    assert lines.schema["amount"] == pl.Float64
    assert lines.schema["local_day"] == pl.Int32
    assert lines.height == 12
    first = lines.sort("receipt_id").row(0, named=True)
    assert first["sold_at"] == datetime(2026, 1, 5, 3, tzinfo=UTC)
    assert (first["amount"], first["quantity"], first["discount"], first["customer_id"]) == (100.0, 1.0, None, "C0")
    assert first["local_day"] == (date(2026, 1, 5) - date(1970, 1, 1)).days
    # masters, without the names of people
    customers = scan(home, "customers").collect()
    assert not {"name", "kana", "search_key"} & set(customers.columns)
    assert customers["consent_profiling"].to_list() == [True] * 4
    product = scan(home, "products").filter(pl.col("product_id") == "P1").collect().row(0, named=True)
    assert (product["price"], product["name"], product["attributes"]) == (101.5, "商品1", '{"size": "L"}')
    assert scan(home, "stores").collect()["opened_on"].to_list() == [date(2001, 4, 1), None]
    # outcomes: the current ones with their suggestion
    outcome = scan(home, "outcomes").collect().row(0, named=True)
    assert (outcome["outcome_id"], outcome["result"]) == ("O2", "bought")
    assert (outcome["customer_id"], outcome["store_id"], outcome["product_id"], outcome["propensity"]) == (
        "C1", "001", "P1", 0.25,
    )  # fmt: skip


def test_tables_without_rows_scan_as_empty_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    assert scan(tmp_path, "pos_lines").collect().is_empty()
    assert scan(tmp_path, "outcomes").collect().is_empty()
    with pytest.raises(InputError, match="no table 'accounts'"):
        scan(tmp_path, "accounts")


def test_only_changed_days_are_written_again(engine: Engine, home: Path, tmp_path: Path) -> None:
    assert refresh(engine, home).days == {}
    late = tmp_path / "late"
    write_table(
        late, "pos_lines", LINES, [line("R900", sold_at="2026-01-06T09:00:00"), line("R901", sold_at="2026-02-01")]
    )
    import_folder(engine, late, now=NOW)
    assert refresh(engine, home).days == {"pos_lines": 2}
    assert files(home, "pos_lines") == [*DAYS, "2026-02-01"]
    assert scan(home, "pos_lines").collect().height == 14
    import_folder(engine, late, now=NOW)
    assert refresh(engine, home).days == {}


def test_a_merge_reaches_the_days_of_the_merged_customer(engine: Engine, home: Path) -> None:
    with writing(engine) as session:
        merge(session, "C0", "C1", actor="coe", now=NOW)
    summary = refresh(engine, home)
    assert summary.days["pos_lines"] == 3
    assert "customers" in summary.tables
    assert set(scan(home, "pos_lines").collect()["customer_id"].unique()) == {"C0", "C2", "C3"}
    assert scan(home, "customers").collect()["customer_id"].to_list() == ["C0", "C2", "C3"]
    assert scan(home, "outcomes").collect()["customer_id"].to_list() == ["C0"]


def test_taps_and_events_written_by_others_are_noticed(engine: Engine, home: Path) -> None:
    with writing(engine) as session:
        session.execute(update(Outcome).values(current=False, retracted_at=NOW))
        session.execute(update(Customer).where(Customer.customer_id == "C1").values(consent_profiling=False))
        event = {"event_id": "E9", "occurred_at": "2026-01-09T00:00:00Z", "visitor_id": "V", "kind": "view"}
        import_rows(session, "web_events", [event], source="/api/events", now=NOW)
    summary = refresh(engine, home)
    assert summary.days == {"outcomes": 1, "web_events": 1}
    assert summary.tables == ["customers"]
    assert scan(home, "customers").collect()["consent_profiling"].to_list() == [True, False, True, True]
    assert scan(home, "outcomes").collect().is_empty()
    assert files(home, "web_events") == ["2026-01-05", "2026-01-09"]


def test_a_lake_is_rebuilt_from_the_record_alone(engine: Engine, home: Path, tmp_path: Path) -> None:
    kept = scan(home, "pos_lines").collect()
    other = tmp_path / "other"
    refresh(engine, other)
    assert scan(other, "pos_lines").collect().equals(kept)
    refresh(engine, home, rebuild=True)
    assert scan(home, "pos_lines").collect().equals(kept)
    (home / "lake" / "manifest.json").write_text("{")  # torn by a crash
    refresh(engine, home)
    assert scan(home, "pos_lines").collect().equals(kept)


def test_days_that_the_record_no_longer_has_disappear(engine: Engine, home: Path) -> None:
    with writing(engine) as session:
        session.query(FactDay).filter(FactDay.table_name == "pos_lines", FactDay.day == 20458).delete()
    refresh(engine, home)
    assert files(home, "pos_lines") == DAYS[1:]


def test_local_days_are_those_of_the_store_or_the_chain(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(folder, "stores", "store_id name timezone", [("NY", "NY", "America/New_York"), ("T", "T", "")])
    head = "suggestion_id store_id shown_at product_id rank"
    moment = "2026-01-05T20:00:00Z"
    write_table(folder, "suggestions", head, [("1", "NY", moment, "P", 1), ("2", "T", moment, "P", 1)])
    write_table(folder, "pos_lines", LINES, [line("R", store_id="NY", sold_at="2026-01-06T03:00:00Z")])
    import_folder(engine, folder, now=NOW)
    refresh(engine, tmp_path, timezone="Asia/Tokyo")
    day = (date(2026, 1, 5) - date(1970, 1, 1)).days
    shown = scan(tmp_path, "suggestions").sort("suggestion_id").collect()
    assert shown["local_day"].to_list() == [day, day + 1]
    assert files(tmp_path, "pos_lines") == ["2026-01-05"]
