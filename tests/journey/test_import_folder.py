from __future__ import annotations

import gzip
from collections.abc import Collection
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.database import to_micros
from journey.errors import InputError, RejectedRows
from journey.intake.folder import import_folder
from journey.outcomes import Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Store
from tests.journey.extracts import LINES, NOW, books, chain, line, rows_of, write_table


def test_every_table_arrives_and_the_same_folder_again_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    first = import_folder(engine, folder, now=NOW)
    assert books(first, "pos_lines") == (12, 12, 0, 0, 0, 0)
    assert books(first, "outcomes") == (2, 2, 0, 0, 0, 0)
    before = {table: rows_of(engine, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("pos_lines", "customers")}
    again = import_folder(engine, folder, now=NOW)
    for table in again.tables:
        assert table.read == table.unchanged > 0, table
        assert table.stubs == 0
    assert {table: rows_of(engine, f"SELECT * FROM {table} ORDER BY 1, 2") for table in before} == before


def test_cells_become_what_the_record_stores(engine: Engine, session: Session, tmp_path: Path) -> None:
    import_folder(engine, chain(tmp_path / "x"), now=NOW)
    store = session.get_one(Store, "001")
    assert (store.name, store.opened_on, store.timezone) == ("本店", date(2001, 4, 1), "Asia/Tokyo")
    product = session.get_one(Product, "P1")
    assert (product.price, product.attributes, product.stub) == (Decimal("101.5"), {"size": "L"}, False)
    customer = session.get_one(Customer, "C1")
    assert (customer.consent_profiling, customer.consent_contact, customer.search_key) == (True, False, "客1|キャク1")
    sale = session.get_one(PosLine, ("R000", 1))
    assert sale.sold_at == datetime(2026, 1, 5, 3, tzinfo=UTC)
    assert (sale.customer_id, sale.customer_ref, sale.quantity, sale.discount) == ("C0", "C0", 1.0, None)
    current = session.scalars(select(Outcome.outcome_id).where(Outcome.current)).all()
    assert current == ["O2"]


def test_later_master_rows_update_only_what_they_bring(engine: Engine, session: Session, tmp_path: Path) -> None:
    import_folder(engine, chain(tmp_path / "x"), now=NOW)
    later = tmp_path / "later"
    write_table(later, "customers", "customer_id tier", [("C1", "gold"), ("C2", ""), ("C9", "silver")])
    assert books(import_folder(engine, later, now=NOW), "customers") == (3, 1, 1, 1, 0, 0)
    customer = session.get_one(Customer, "C1")
    assert (customer.tier, customer.name, customer.search_key) == ("gold", "客 1", "客1|キャク1")


def test_a_fact_with_other_values_is_a_conflict_and_the_first_one_stays(engine: Engine, tmp_path: Path) -> None:
    import_folder(engine, chain(tmp_path / "x"), now=NOW)
    again = tmp_path / "again"
    write_table(
        again, "pos_lines", LINES,
        [line("R000", 1, customer_id="C0", product_id="P0", clerk_id="K1", amount="999"), line("R900"), line("R900"),
         line("R900", amount="1")],
    )  # fmt: skip
    summary = import_folder(engine, again, now=NOW)
    assert books(summary, "pos_lines") == (4, 1, 0, 1, 0, 2)
    assert rows_of(engine, "SELECT amount FROM pos_lines WHERE receipt_id IN ('R000', 'R900')") == [(1000000,)] * 2
    kept = rows_of(engine, "SELECT line, kind, file FROM quarantine ORDER BY line")
    assert kept == [(2, "conflict", "pos_lines.csv"), (5, "conflict", "pos_lines.csv")]


def test_unknown_ids_make_stubs_that_their_master_rows_fill(engine: Engine, session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(
        folder, "pos_lines", LINES, [line("R1", customer_id="C77", clerk_id="K77"), line("R1", 2, clerk_id="K77")]
    )
    summary = import_folder(engine, folder, now=NOW)
    assert summary.tables[0].stubs == 4  # store, customer, product, clerk
    assert rows_of(engine, "SELECT clerk_id, store_id, stub FROM clerks") in (
        [("K77", "001", True)],
        [("K77", "001", 1)],
    )
    masters = tmp_path / "masters"
    write_table(masters, "products", "product_id name", [("4900000000001", "お茶")])
    write_table(masters, "customers", "customer_id name", [("C77", "田中")])
    filled = import_folder(engine, masters, now=NOW)
    assert books(filled, "products") == (1, 0, 1, 0, 0, 0)
    product = session.get_one(Product, "4900000000001")
    assert (product.name, product.stub) == ("お茶", False)
    assert session.get_one(Customer, "C77").search_key == "田中"


def test_unknown_columns_are_named_and_column_order_is_free(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(folder, "stores", "colour name store_id", [("red", "本店", "001")])
    summary = import_folder(engine, folder, now=NOW)
    assert summary.tables[0].unknown_columns == ["colour"]
    assert rows_of(engine, "SELECT store_id, name FROM stores") == [("001", "本店")]


def test_a_bom_crlf_quotes_and_line_breaks_in_cells_are_read(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    data = '\ufeffproduct_id,name,price\r\n"P,1","He said ""hi""\nand left",1\r\n\r\nP2,x,bad\r\n'
    (tmp_path / "x" / "products.csv.gz").write_bytes(gzip.compress(data.encode()))
    summary = import_folder(engine, tmp_path / "x", now=NOW)
    assert books(summary, "products") == (2, 1, 0, 0, 1, 0)
    assert rows_of(engine, "SELECT product_id, name FROM products") == [("P,1", 'He said "hi"\nand left')]
    assert rows_of(engine, "SELECT line FROM quarantine") == [(5,)]  # the physical line, for whoever opens the file


def test_stock_keeps_the_newest_count(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    head = "store_id product_id quantity as_of"
    write_table(folder, "stock", head, [("1", "P", 5, "2026-01-02"), ("1", "P", 9, "2026-01-01")])
    import_folder(engine, folder, now=NOW)
    assert rows_of(engine, "SELECT quantity FROM stock") == [(5,)]
    older = tmp_path / "older"
    write_table(older, "stock", head, [("1", "P", 7, "2025-12-31")])
    assert books(import_folder(engine, older, now=NOW), "stock") == (1, 0, 0, 1, 0, 0)
    assert rows_of(engine, "SELECT quantity FROM stock") == [(5,)]


def test_an_order_may_change_its_state_and_a_coupon_is_redeemed_once(engine: Engine, tmp_path: Path) -> None:
    def deliver(name: str, status: str, redeemed: str) -> tuple[int, ...]:
        folder = tmp_path / name
        write_table(
            folder, "orders", "order_id customer_id store_id ordered_at status", [("1", "C", "S", "2026-01-01", status)]
        )
        write_table(
            folder,
            "coupon_grants",
            "coupon_id customer_id granted_at redeemed_at",
            [("Q", "C", "2026-01-01", redeemed)],
        )
        summary = import_folder(engine, folder, now=NOW)
        return books(summary, "orders")[1:3] + books(summary, "coupon_grants")[1:]

    assert deliver("a", "open", "") == (1, 0, 1, 0, 0, 0, 0)
    assert deliver("b", "collected", "2026-01-03") == (0, 1, 0, 1, 0, 0, 0)
    assert deliver("c", "collected", "2026-01-09") == (0, 0, 0, 0, 0, 0, 1)


def test_parquet_of_natural_types_gives_the_same_record(engine: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    import_folder(engine, folder, now=NOW)
    typed = tmp_path / "typed"
    typed.mkdir()
    lines = pl.read_csv(folder / "pos_lines.csv", infer_schema=False).with_columns(
        pl.col("line_no").cast(pl.Int16), pl.col("quantity").cast(pl.Float32), pl.col("amount").cast(pl.Float64),
        sold_at=pl.col("sold_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%:z", time_unit="ns", time_zone="UTC"),
        discount=pl.lit(None), channel=pl.col("channel").cast(pl.Categorical),
    )  # fmt: skip
    lines.write_parquet(typed / "pos_lines.parquet")
    assert books(import_folder(engine, typed, now=NOW), "pos_lines") == (12, 0, 0, 12, 0, 0)


def test_progress_tells_table_rows_done_and_rows_in_the_file(sqlite_url: str, tmp_path: Path) -> None:
    from journey.database import connect

    engine, told = connect(sqlite_url), list[tuple[str, int, int | None]]()
    folder = tmp_path / "x"
    folder.mkdir()
    pl.DataFrame({"store_id": ["1"], "name": ["a"]}).write_parquet(folder / "stores.parquet")
    import_folder(engine, folder, now=NOW, progress=lambda *step: told.append(step))
    assert told == [("stores", 1, 1)]
    engine.dispose()


def test_strict_imports_nothing_when_a_row_is_bad(engine: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    write_table(folder, "contacts", "contact_id started_at", [("1", "2026-01-01"), ("2", "never")])
    with pytest.raises(RejectedRows, match="1 rows would be kept out"):
        import_folder(engine, folder, strict=True, now=NOW)
    for table in ("stores", "pos_lines", "quarantine", "import_runs", "contacts", "fact_days"):
        assert rows_of(engine, f"SELECT * FROM {table}") == []
    (folder / "contacts.csv").unlink()
    import_folder(engine, folder, strict=True, now=NOW)
    assert rows_of(engine, "SELECT count(*) FROM pos_lines") == [(12,)]


def test_an_empty_folder_or_none_at_all_is_said_plainly(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no table"):
        import_folder(engine, tmp_path, now=NOW)
    with pytest.raises(InputError, match="is not a folder"):
        import_folder(engine, tmp_path / "none", now=NOW)
    folder = chain(tmp_path / "x")
    (folder / "stores.parquet").write_bytes(b"")
    with pytest.raises(InputError, match=r"stores\.csv and stores\.parquet"):
        import_folder(engine, folder, now=NOW)


def test_a_folder_without_till_lines_is_welcome(engine: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    (folder / "pos_lines.csv").unlink()
    summary = import_folder(engine, folder, now=NOW)
    assert books(summary, "web_events") == (4, 4, 0, 0, 0, 0)


def test_a_large_load_leaves_the_secondary_indexes_in_place(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import inspect

    from journey.intake import bulk

    before = {index["name"] for index in inspect(engine).get_indexes("pos_lines")}
    monkeypatch.setattr(bulk, "LARGE", 5)
    folder = tmp_path / "x"
    folder.mkdir()
    pl.DataFrame(
        {"receipt_id": [f"R{i}" for i in range(50)], "line_no": 1, "store_id": "1", "sold_at": "2026-01-01",
         "product_id": "P", "quantity": 1, "amount": 1}
    ).write_parquet(folder / "pos_lines.parquet")  # fmt: skip
    import_folder(engine, folder, now=NOW)
    assert {index["name"] for index in inspect(engine).get_indexes("pos_lines")} == before
    assert rows_of(engine, "SELECT count(*) FROM pos_lines") == [(50,)]


def test_a_large_load_of_outcomes_keeps_the_index_by_which_it_finds_earlier_taps(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import inspect

    from journey import outcomes
    from journey.intake import bulk

    found: set[tuple[str | None, ...]] = set()
    mark_current = outcomes.mark_current

    def spy(connection: Connection, suggestion_ids: Collection[str]) -> None:
        found.update(tuple(index["column_names"]) for index in inspect(connection).get_indexes("outcomes"))
        mark_current(connection, suggestion_ids)

    monkeypatch.setattr(bulk, "LARGE", 5)
    monkeypatch.setattr(outcomes, "mark_current", spy)
    folder = tmp_path / "x"
    folder.mkdir()
    pl.DataFrame(
        {"suggestion_id": [f"S{i}" for i in range(25)], "store_id": "1", "shown_at": "2026-01-01", "product_id": "P",
         "rank": 1}
    ).write_parquet(folder / "suggestions.parquet")  # fmt: skip
    pl.DataFrame(
        {"outcome_id": [f"O{i:02}" for i in range(50)], "suggestion_id": [f"S{i // 2}" for i in range(50)],
         "clerk_id": "K", "occurred_at": [f"2026-01-01T00:{i:02}:00" for i in range(50)], "result": "declined"}
    ).write_parquet(folder / "outcomes.parquet")  # fmt: skip
    import_folder(engine, folder, now=NOW)
    assert ("suggestion_id",) in found, "without it every tap reads all the others"
    assert ("clerk_id", "occurred_at") not in found, "the load was large enough to go without the rest"
    assert rows_of(engine, "SELECT count(*) FROM outcomes WHERE current") == [(25,)]


def test_times_without_offset_are_local_to_the_store_around_midnight(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(
        folder, "stores", "store_id name timezone",
        [("TYO", "東京", "Asia/Tokyo"), ("NYC", "New York", "America/New_York"), ("???", "どこか", "")],
    )  # fmt: skip
    write_table(
        folder, "pos_lines", LINES,
        [line("A", store_id="TYO", sold_at="2026-01-01T00:00:00"),
         line("B", store_id="TYO", sold_at="2025-12-31 23:59:59.5"),
         line("C", store_id="NYC", sold_at="2025-12-31T23:30"), line("D", store_id="???", sold_at="2026-01-01"),
         line("E", store_id="TYO", sold_at="2025-12-31T15:00:00Z"),
         line("F", store_id="NYC", sold_at="20260101T000000+0900"),
         line("G", store_id="NYC", sold_at="2026-03-08T02:30:00")],
    )  # fmt: skip
    summary = import_folder(engine, folder, now=NOW, timezone="Europe/London")
    assert books(summary, "pos_lines") == (7, 7, 0, 0, 0, 0)
    day = 20454  # 2026-01-01
    tokyo = to_micros(datetime(2025, 12, 31, 15, tzinfo=UTC))
    assert rows_of(engine, "SELECT receipt_id, sold_at, local_day FROM pos_lines ORDER BY receipt_id") == [
        ("A", tokyo, day),
        ("B", tokyo - 500_000, day - 1),
        ("C", to_micros(datetime(2026, 1, 1, 4, 30, tzinfo=UTC)), day - 1),
        ("D", to_micros(datetime(2026, 1, 1, tzinfo=UTC)), day),
        ("E", tokyo, day),
        ("F", tokyo, day - 1),
        ("G", to_micros(datetime(2026, 3, 8, 7, 30, tzinfo=UTC)), 20520),  # an hour that the clock skips
    ]


def test_sales_move_to_their_stores_days_when_its_zone_becomes_known(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    lines = [line("A", store_id="NYC", sold_at="2026-01-05T03:00:00Z"), line("B", sold_at="2026-01-05T03:00:00Z")]
    write_table(folder, "pos_lines", LINES, lines)
    import_folder(engine, folder, now=NOW)
    days = "SELECT receipt_id, local_day FROM pos_lines ORDER BY receipt_id"
    assert rows_of(engine, days) == [("A", 20458), ("B", 20458)]
    masters = tmp_path / "masters"
    write_table(
        masters, "stores", "store_id name timezone", [("NYC", "New York", "America/New_York"), ("001", "本店", "")]
    )
    import_folder(engine, masters, now=NOW)
    assert rows_of(engine, days) == [("A", 20457), ("B", 20458)]
    assert (20457,) in rows_of(engine, "SELECT day FROM fact_days WHERE table_name = 'pos_lines'")
