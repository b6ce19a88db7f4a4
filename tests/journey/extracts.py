"""Writes small extract folders for tests, and looks into the record."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def write_table(
    folder: Path, name: str, header: str, rows: Iterable[Sequence[Any]], *, encoding: str = "utf-8"
) -> Path:
    """Write ``folder/name.csv``; ``header`` is column names separated by spaces."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(header.split())
        writer.writerows(rows)
    return path


LINES = "receipt_id line_no store_id sold_at channel customer_id card_no product_id quantity amount discount clerk_id"


def line(receipt: str, number: int = 1, **more: Any) -> list[Any]:
    """A till line with sensible cells, as a row under ``LINES``."""
    cells: dict[str, Any] = {
        "receipt_id": receipt, "line_no": number, "store_id": "001", "sold_at": "2026-01-05T12:00:00+09:00",
        "channel": "store", "customer_id": "", "card_no": "", "product_id": "4900000000001", "quantity": 1,
        "amount": "100", "discount": "", "clerk_id": "",
    } | more  # fmt: skip
    return [cells[name] for name in LINES.split()]


def chain(folder: Path, lines: int = 12) -> Path:
    """A small chain with every kind of master row, sales, browsing, suggestions and answers."""
    write_table(
        folder, "stores", "store_id name area timezone opened_on",
        [("001", "本店", "東京", "Asia/Tokyo", "2001-04-01"), ("EC", "通販", "", "", "")],
    )  # fmt: skip
    write_table(folder, "clerks", "clerk_id store_id name role", [("K1", "001", "佐藤", "clerk")])
    write_table(
        folder, "products", "product_id name category price attributes",
        [(f"P{i}", f"商品{i}", "食品 > 菓子", f"{100 + i}.5", '{"size": "L"}' if i % 2 else "") for i in range(4)],
    )  # fmt: skip
    write_table(
        folder, "customers", "customer_id name kana birth_year consent_profiling consent_contact",
        [(f"C{i}", f"客 {i}", f"きゃく{i}", 1980 + i, "true", "false") for i in range(4)],
    )  # fmt: skip
    write_table(
        folder, "pos_lines", LINES,
        [line(f"R{i:03}", 1, customer_id=f"C{i % 4}", product_id=f"P{i % 4}", clerk_id="K1",
              sold_at=f"2026-01-{5 + i % 3:02}T12:00:00+09:00") for i in range(lines)],
    )  # fmt: skip
    write_table(
        folder, "web_events", "event_id occurred_at visitor_id customer_id kind product_id query",
        [(f"E{i}", "2026-01-05T10:00:00+09:00", f"V{i % 2}", "C0" * (i == 3), "view", "P1", "") for i in range(4)],
    )  # fmt: skip
    write_table(
        folder, "suggestions", "suggestion_id customer_id store_id clerk_id shown_at product_id rank propensity",
        [("G1", "C1", "001", "K1", "2026-01-05T12:00:00+09:00", "P1", 1, 0.25)],
    )  # fmt: skip
    write_table(
        folder, "outcomes", "outcome_id suggestion_id clerk_id occurred_at result",
        [("O1", "G1", "K1", "2026-01-05T12:05:00+09:00", "considering"),
         ("O2", "G1", "K1", "2026-01-05T12:09:00+09:00", "bought")],
    )  # fmt: skip
    write_table(
        folder, "answers",
        "response_id question touchpoint survey_id customer_id answered_at score scale_min scale_max comment",
        [("A1", "nps", "", "S1", "C2", "2026-01-06", 9, 0, 10, "良かった、また来ます")],
    )  # fmt: skip
    return folder


def rows_of(engine: Engine, query: str) -> list[tuple[Any, ...]]:
    """The rows of a plain SQL query."""
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def books(summary: Any, table: str) -> tuple[int, int, int, int, int, int]:
    """read, inserted, updated, unchanged, quarantined, conflicts of one table; they must add up."""
    found = next(entry for entry in summary.tables if entry.table == table)
    parts = (found.inserted, found.updated, found.unchanged, found.quarantined, found.conflicts)
    assert found.read == sum(parts)
    return (found.read, *parts)
