from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from journey.errors import InputError
from journey.intake.folder import import_folder
from journey.intake.quarantine import count_by_table, export_rows, list_rows
from journey.intake.retry import retry
from tests.journey.extracts import LINES, NOW, line, rows_of, write_table


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    folder = tmp_path / "x"
    rows = [line("R1", quantity=0), line("R2", amount="free"), line("R3"), line("R3", amount=7), line("")]
    write_table(folder, "pos_lines", LINES, rows)
    import_folder(engine, folder, now=NOW)
    return folder


def corrected(path: Path, changes: dict[str, dict[str, str]]) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.update(changes.get(row["receipt_id"], {}))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_rows_kept_out_are_listed_with_file_line_and_reason(folder: Path, session: Session) -> None:
    rows = list_rows(session)
    assert [(row.file, row.line, row.kind) for row in rows] == [
        ("pos_lines.csv", 2, "bad"), ("pos_lines.csv", 3, "bad"), ("pos_lines.csv", 6, "bad"),
        ("pos_lines.csv", 5, "conflict"),
    ]  # fmt: skip
    assert rows[0].raw["receipt_id"] == "R1"
    assert count_by_table(session) == [
        {"table": "pos_lines", "kind": "bad", "rows": 3},
        {"table": "pos_lines", "kind": "conflict", "rows": 1},
    ]
    assert list_rows(session, table="products") == []
    assert [row.line for row in list_rows(session, limit=1, offset=1)] == [3]


def test_a_corrected_export_settles_what_got_through(
    folder: Path, engine: Engine, session: Session, tmp_path: Path
) -> None:
    assert export_rows(session, tmp_path / "out") == {"pos_lines": 4}
    session.commit()
    file = tmp_path / "out" / "pos_lines.csv"
    corrected(file, {"R1": {"quantity": "2"}, "R2": {"amount": "gratis"}, "": {"receipt_id": "R5"}})
    summary = retry(engine, tmp_path / "out", now=NOW)
    assert (summary.settled, summary.replaced) == (2, 1)
    assert summary.imported.tables[0].inserted == 2
    assert rows_of(engine, "SELECT receipt_id FROM pos_lines ORDER BY 1") == [("R1",), ("R3",), ("R5",)]
    session.expire_all()
    waiting = [(row.kind, row.raw["receipt_id"], row.raw["amount"]) for row in list_rows(session)]
    assert sorted(waiting) == [("bad", "R2", "gratis"), ("conflict", "R3", "7")]
    session.commit()
    again = retry(engine, file, now=NOW)
    assert (again.settled, again.imported.tables[0].inserted) == (0, 0)
    assert len(list_rows(session)) == 2


def test_a_corrected_original_settles_rows_by_their_key(folder: Path, engine: Engine, session: Session) -> None:
    write_table(folder, "pos_lines", LINES, [line("R1", quantity=3), line("R2", amount="5"), line("R3")])
    summary = retry(engine, folder / "pos_lines.csv", now=NOW)
    assert summary.settled == 3  # R1 and R2 got through; what R3 had been kept out for is now said alike
    assert [row.raw.get("receipt_id") for row in list_rows(session)] == [None]


def test_retry_needs_a_table_that_there_is(folder: Path, engine: Engine, tmp_path: Path) -> None:
    odd = (folder / "pos_lines.csv").rename(tmp_path / "mended.csv")
    with pytest.raises(InputError, match="no table 'mended'"):
        retry(engine, odd, now=NOW)
    assert retry(engine, odd, table="pos_lines", now=NOW).imported.tables[0].read == 5
    with pytest.raises(InputError, match="is not there"):
        retry(engine, tmp_path / "nowhere.csv", now=NOW)
