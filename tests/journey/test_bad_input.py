from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine

from journey.database import connect
from journey.errors import UnreadableFile
from journey.intake.folder import import_folder
from tests.journey.extracts import LINES, NOW, books, chain, line, rows_of, write_table


@pytest.fixture
def embedded(sqlite_url: str) -> Iterator[Engine]:
    """For files that cannot be read, or are read the same whatever the database."""
    engine = connect(sqlite_url)
    yield engine
    engine.dispose()


def refused(engine: Engine, folder: Path, message: str, file: str) -> None:
    """The folder is refused, naming the file, and nothing of it is in the record."""
    with pytest.raises(UnreadableFile, match=message) as caught:
        import_folder(engine, folder, now=NOW)
    assert file in caught.value.where
    assert caught.value.what_to_do
    for table in ("stores", "products", "customers", "pos_lines", "web_events", "import_runs", "quarantine"):
        assert rows_of(engine, f"SELECT * FROM {table}") == []


def test_a_missing_column(embedded: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    write_table(folder, "pos_lines", "receipt_id line_no store_id product_id quantity", [("R", 1, "1", "P", 1)])
    refused(embedded, folder, "required column sold_at, amount is missing", "pos_lines.csv")


def test_a_column_that_is_there_twice(embedded: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    write_table(folder, "stores", "store_id name name", [("1", "a", "b")])
    refused(embedded, folder, "column name is there twice", "stores.csv")


@pytest.mark.parametrize(("encoding", "advice"), [("cp932", "Shift_JIS"), ("utf-16", "UTF-16"), ("latin-1", "UTF-8")])
def test_a_wrong_encoding(embedded: Engine, tmp_path: Path, encoding: str, advice: str) -> None:
    folder = chain(tmp_path / "x")
    name = "Café \xe9" if encoding == "latin-1" else "東京店"
    write_table(folder, "web_events", "event_id occurred_at visitor_id kind query",
                [("E", "2026-01-01", "V", "view", name)], encoding=encoding)  # fmt: skip
    refused(embedded, folder, "is not UTF-8", "web_events.csv")
    with pytest.raises(UnreadableFile, match=advice):
        import_folder(embedded, folder, now=NOW)


def test_a_truncated_gzip(embedded: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    path = write_table(folder, "pos_lines", LINES, [line(f"R{i}") for i in range(3000)])
    (folder / "pos_lines.csv.gz").write_bytes(gzip.compress(path.read_bytes())[:-400])
    path.unlink()
    refused(embedded, folder, "is not a whole gzip file", "pos_lines.csv.gz")
    (folder / "pos_lines.csv.gz").write_bytes(b"receipt_id,line_no\n")
    refused(embedded, folder, "is not a whole gzip file", "pos_lines.csv.gz")


def test_a_truncated_or_false_parquet(embedded: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    path = write_table(folder, "pos_lines", LINES, [line(f"R{i}") for i in range(3000)])
    frame = pl.read_csv(path, infer_schema=False)
    path.unlink()
    frame.write_parquet(folder / "pos_lines.parquet")
    whole = (folder / "pos_lines.parquet").read_bytes()
    (folder / "pos_lines.parquet").write_bytes(whole[:-100])
    refused(embedded, folder, "is not a whole Parquet file", "pos_lines.parquet")
    (folder / "pos_lines.parquet").write_bytes(whole[:50] + b"\0" * 300 + whole[350:])  # damaged inside, footer whole
    refused(embedded, folder, "is not a whole Parquet file", "pos_lines.parquet")


def test_no_header(embedded: Engine, tmp_path: Path) -> None:
    folder = chain(tmp_path / "x")
    (folder / "stores.csv").write_bytes(b"")
    refused(embedded, folder, "has no header", "stores.csv")


def test_a_parquet_of_other_types(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    table = pa.table(
        {
            "receipt_id": pa.array([1, 2, 3, 4], pa.int64()),
            "line_no": pa.array([1.0, 2.0, 1.0, 1.5]),
            "store_id": pa.array([7.0, 7.0, None, 7.0]),
            "sold_at": pa.array([datetime(2026, 1, 1)] * 4, pa.timestamp("ms")),  # noqa: DTZ001 - no zone is the point
            "product_id": pa.array([4900000000001, 2, 3, 4], pa.uint64()),
            "quantity": pa.array([Decimal("1.50")] * 4, pa.decimal128(9, 2)),
            "amount": pa.array(
                [Decimal("100.1000"), Decimal("0.00005"), Decimal(-3), Decimal(1)], pa.decimal128(20, 5)
            ),
            "customer_id": pa.array([12.0, float("nan"), 3.0, 4.0]),
            "clerk_id": pa.array([b"K1", None, None, None], pa.binary()),
            "discount": pa.nulls(4),
            "channel": pa.array(["ec", None, None, None]).dictionary_encode(),
        }
    )
    pq.write_table(table, folder / "pos_lines.parquet")
    summary = import_folder(engine, folder, now=NOW)
    assert books(summary, "pos_lines") == (4, 2, 0, 0, 2, 0)
    stored = "receipt_id, line_no, store_id, product_id, quantity, amount, customer_id, clerk_id, channel"
    assert rows_of(engine, f"SELECT {stored} FROM pos_lines ORDER BY 1") == [
        ("1", 1, "7", "4900000000001", 1.5, 1001000, "12", "K1", "ec"),
        ("2", 2, "7", "2", 1.5, 0, None, None, None),  # half of a ten-thousandth goes to the even neighbour
    ]
    assert rows_of(engine, "SELECT line, reason FROM quarantine ORDER BY line") == [
        (3, "store_id is missing"),
        (4, "line_no '1.5' is not a whole number"),
    ]


def test_parquet_dates_and_zoned_times(embedded: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    moments = pl.Series([datetime(2026, 1, 1, tzinfo=UTC)]).dt.convert_time_zone("America/New_York")
    frame = pl.DataFrame({"contact_id": [1], "started_at": moments, "resolved": [True], "seconds": [3]})
    frame.write_parquet(folder / "contacts.parquet")
    pl.DataFrame({"store_id": [True], "name": ["a"], "opened_on": [date(2020, 2, 29)]}).write_parquet(
        folder / "stores.parquet"
    )
    import_folder(embedded, folder, now=NOW)
    assert rows_of(embedded, "SELECT contact_id, started_at FROM contacts") == [("1", 1767225600000000)]
    assert [str(day) for (day,) in rows_of(embedded, "SELECT opened_on FROM stores")] == ["2020-02-29"]


def test_quantities_of_zero_and_other_bad_cells_say_why(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    bad = [
        line("R1", quantity=0), line("R2", amount="1,000"), line("R3", sold_at="2026-02-30T10:00"), line(""),
        line("R5", channel="fax"), line("R6", number="x"), line("x" * 65), line("R8", quantity="many", amount=""),
        line("R9", amount="1e30"), line("R10", sold_at="2026-01-05T25:00:00"), line("R11", product_id="a\x00b"),
    ]  # fmt: skip
    write_table(folder, "pos_lines", LINES, [*bad, line("R99", quantity=-2, amount="-200")])
    assert books(import_folder(engine, folder, now=NOW), "pos_lines") == (12, 1, 0, 0, 11, 0)
    reasons = dict(rows_of(engine, "SELECT line, reason FROM quarantine"))
    assert reasons[2] == "quantity '0' must not be 0"
    assert reasons[3] == "amount '1,000' is not an amount of money"
    assert reasons[4] == "sold_at '2026-02-30T10:00' is not a time in ISO 8601"
    assert reasons[5] == "receipt_id is missing"
    assert reasons[6] == "channel 'fax' is not one of store, ec, app"
    assert reasons[9] == "quantity 'many' is not a number; amount is missing"
    raw = rows_of(engine, "SELECT raw FROM quarantine WHERE line = 2")[0][0]
    raw = json.loads(raw) if isinstance(raw, str) else raw
    assert (raw["receipt_id"], raw["quantity"]) == ("R1", "0")


def test_ids_keep_leading_zeros_and_emoji(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    ids = ["0001", "1", "01.0", "🛒-é", "e\u0301", " 1", "1e5", "null", "NaN", "TRUE", "a,b", 'q"q']
    write_table(folder, "pos_lines", LINES, [line(f"R{i}", customer_id=value) for i, value in enumerate(ids)])
    assert books(import_folder(engine, folder, now=NOW), "pos_lines")[1] == len(ids)
    assert {value for (value,) in rows_of(engine, "SELECT customer_id FROM customers")} == set(ids)
    assert books(import_folder(engine, folder, now=NOW), "pos_lines")[3] == len(ids)


def test_a_receipt_twice_with_other_content(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(folder, "pos_lines", LINES, [line("R1", product_id="P1"), line("R1", product_id="P2")])
    assert books(import_folder(engine, folder, now=NOW), "pos_lines") == (2, 1, 0, 0, 0, 1)
    assert rows_of(engine, "SELECT product_id FROM pos_lines") == [("P1",)]
    assert books(import_folder(engine, folder, now=NOW), "pos_lines") == (2, 0, 0, 1, 0, 1)
    assert rows_of(engine, "SELECT count(*) FROM quarantine") == [(1,)]


def test_ten_per_cent_bad_rows_never_stop_an_import_and_never_vanish(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    rows = [line(f"R{i}", quantity="" if i % 10 == 3 else 1) for i in range(5000)]
    rows += [line("")] * 3  # equal bad rows are three rows, not one
    write_table(folder, "pos_lines", LINES, rows)
    assert books(import_folder(engine, folder, now=NOW), "pos_lines") == (5003, 4500, 0, 0, 503, 0)
    assert rows_of(engine, "SELECT count(*) FROM quarantine") == [(503,)]
    import_folder(engine, folder, now=NOW)
    assert rows_of(engine, "SELECT count(*) FROM quarantine") == [(503,)]


def test_rows_that_are_not_csv_are_kept_out_one_by_one(embedded: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    text = 'store_id,name\n1,a\n2,b,c\n3\n4,"never ends\n5,e\n6,"x"y\n7,g\n'
    (folder / "stores.csv").write_text(text)
    assert books(import_folder(embedded, folder, now=NOW), "stores") == (7, 3, 0, 0, 4, 0)
    assert sorted(rows_of(embedded, "SELECT store_id FROM stores")) == [("1",), ("5",), ("7",)]
    assert rows_of(embedded, "SELECT line FROM quarantine ORDER BY line") == [(3,), (4,), (5,), (7,)]


def test_an_outcome_of_an_unknown_suggestion_waits_in_the_quarantine(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "x"
    write_table(folder, "outcomes", "outcome_id suggestion_id clerk_id occurred_at result",
                [("O", "nowhere", "K", "2026-01-01", "bought")])  # fmt: skip
    assert books(import_folder(engine, folder, now=NOW), "outcomes") == (1, 0, 0, 0, 1, 0)
    assert rows_of(engine, "SELECT reason FROM quarantine") == [("suggestion_id 'nowhere' is not known",)]
