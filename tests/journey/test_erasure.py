from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Engine, insert, inspect, select
from sqlalchemy.orm import Session

from journey.audit import AuditEntry
from journey.customers import CustomerNote
from journey.database import Instant, Money, writing
from journey.disclosure import export_customer
from journey.erasure import erase_customer
from journey.errors import NotFound
from journey.identity import Identity
from journey.intake.folder import import_folder
from journey.lake import refresh, scan
from journey.one_id import merge
from journey.persons import PERSON_COLUMNS
from journey.record import metadata
from tests.journey.extracts import LINES, NOW, line, rows_of, write_table

TRACES = ("PERSON-1", "PERSON-2", "CARD-1", "COOKIE-1", "HASH-1", "安藤", "アンドウ", "持病", "膝の薬")


ROWS = {
    "customers": (
        "customer_id name kana birth_year tier",
        [
            ("PERSON-1", "安藤", "アンドウ", 1970, "gold"),
            ("PERSON-2", "安藤 花", "アンドウ", "x", ""),
            ("PERSON-2", "安藤 花", "アンドウ", "", ""),
            ("OTHER", "木村", "キムラ", 1980, ""),
        ],
    ),
    "identities": (
        "kind value customer_id linked_at",
        [
            ("card", "CARD-1", "PERSON-1", "2026-01-01"),
            ("cookie", "COOKIE-1", "PERSON-2", "2026-01-01"),
            ("email_hash", "HASH-1", "PERSON-1", "2026-01-01"),
            ("card", "CARD-9", "OTHER", "2026-01-01"),
        ],
    ),
    "pos_lines": (
        LINES,
        [
            line("R1", customer_id="PERSON-1", amount=500),
            line("R2", card_no="CARD-1"),
            line("R3", card_no="CARD-9"),
            line("R4", customer_id="OTHER"),
            line("R5", customer_id="PERSON-1", quantity=0),
        ],
    ),
    "web_events": (
        "event_id occurred_at visitor_id customer_id kind query",
        [("E1", "2026-01-05", "COOKIE-1", "", "search", "膝の薬"), ("E2", "2026-01-05", "V9", "OTHER", "view", "")],
    ),
    "answers": (
        "response_id question survey_id answered_at score email_hash comment",
        [("A1", "nps", "S", "2026-01-06", 9, "HASH-1", "持病の相談"), ("A2", "nps", "S", "2026-01-06", 2, "", "普通")],
    ),
    "suggestions": (
        "suggestion_id customer_id store_id shown_at product_id rank reason",
        [
            ("G1", "PERSON-1", "001", "2026-01-05", "P", 1, "膝の薬を先月も"),
            ("G2", "OTHER", "001", "2026-01-05", "P", 1, ""),
        ],
    ),
    "outcomes": ("outcome_id suggestion_id clerk_id occurred_at result", [("O1", "G1", "K", "2026-01-05", "bought")]),
    "offers": (
        "offer_id customer_id store_id shown_at kind subject rank usefulness",
        [("F1", "PERSON-1", "001", "2026-01-05", "coupon", "Q", 1, "0.3")],
    ),
    "orders": ("order_id customer_id store_id ordered_at", [("1", "PERSON-2", "001", "2026-01-05")]),
    "contacts": ("contact_id customer_id started_at topic", [("1", "PERSON-1", "2026-01-05", "持病")]),
    "coupon_grants": ("coupon_id customer_id granted_at", [("Q", "PERSON-1", "2026-01-05")]),
}


def delivery(folder: Path) -> Path:
    """Two customers: PERSON-1 (with a second account PERSON-2), who will be erased, and OTHER, who will not."""
    for table, (header, rows) in ROWS.items():
        write_table(folder, table, header, rows)
    return folder


@pytest.fixture
def folder(engine: Engine, tmp_path: Path) -> Path:
    folder = delivery(tmp_path / "x")
    import_folder(engine, folder, now=NOW)
    with writing(engine) as session:
        merge(session, "PERSON-1", "PERSON-2", actor="coe", now=NOW)
        session.add(
            CustomerNote(
                note_id="N", customer_id="PERSON-1", clerk_id="K", store_id="001", written_at=NOW, text="膝の薬"
            )
        )
    refresh(engine, tmp_path)
    return folder


def traces(engine: Engine) -> list[tuple[str, str]]:
    """Every place in the database that still names the person."""
    found = []
    for table in inspect(engine).get_table_names():
        for row in rows_of(engine, f"SELECT * FROM {table}"):
            text = json.dumps(row, ensure_ascii=False, default=str)
            text += json.dumps(
                [json.loads(v) for v in row if isinstance(v, str) and v.startswith("{")], ensure_ascii=False
            )
            found += [(table, trace) for trace in TRACES if trace in text]
    return found


def test_a_person_leaves_every_table_and_the_lake_and_the_receipts_stay(
    engine: Engine, folder: Path, tmp_path: Path
) -> None:
    assert {table for table, _ in traces(engine)} >= {
        "offers",
        "customers",
        "identities",
        "pos_lines",
        "quarantine",
        "audit_log",
    }
    with writing(engine) as session:
        summary = erase_customer(session, "PERSON-2", actor="coe", now=NOW)
    assert (summary.anonymised["pos_lines"], summary.removed["customers"], summary.removed["quarantine"]) == (2, 2, 2)
    assert traces(engine) == []
    owners = rows_of(engine, "SELECT receipt_id, customer_id, amount FROM pos_lines ORDER BY 1")
    assert owners == [("R1", None, 5000000), ("R2", None, 1000000), ("R3", "OTHER", 1000000), ("R4", "OTHER", 1000000)]
    assert rows_of(engine, "SELECT outcome_id, result FROM outcomes") == [("O1", "bought")]
    refresh(engine, tmp_path)
    for table in ("pos_lines", "web_events", "suggestions", "customers", "outcomes"):
        left = json.dumps(scan(tmp_path, table).collect().to_dicts(), ensure_ascii=False, default=str)
        assert not [trace for trace in TRACES if trace in left], table
        assert "OTHER" in left or table == "outcomes"


def test_an_old_delivery_cannot_bring_the_person_back(engine: Engine, folder: Path) -> None:
    with writing(engine) as session:
        erase_customer(session, "PERSON-1", actor="coe", now=NOW)
    write_table(folder, "pos_lines", LINES,
                [line("R1", customer_id="PERSON-1", amount=500), line("R2", card_no="CARD-1"),
                 line("R6", customer_id="PERSON-1"), line("R7", card_no="CARD-1", quantity=0)])  # fmt: skip
    summary = import_folder(engine, folder, now=NOW)
    assert traces(engine) == []
    lines = next(table for table in summary.tables if table.table == "pos_lines")
    assert (lines.read, lines.inserted, lines.unchanged, lines.quarantined) == (4, 1, 2, 1)
    assert rows_of(engine, "SELECT customer_id FROM pos_lines WHERE receipt_id = 'R6'") == [(None,)]
    assert rows_of(engine, "SELECT count(*) FROM customers WHERE customer_id <> 'OTHER'") == [(0,)]


def test_all_that_is_held_is_shown_to_the_person(engine: Engine, folder: Path, session: Session) -> None:
    document = export_customer(session, "PERSON-2")
    text = json.dumps(document, ensure_ascii=False)
    assert all(trace in text for trace in TRACES)
    assert "OTHER" not in text
    assert "CARD-9" not in text
    assert [row["receipt_id"] for row in document["pos_lines"]] == ["R1", "R2"]
    assert document["pos_lines"][0]["amount"] == "500"
    assert [row["outcome_id"] for row in document["outcomes"]] == ["O1"]
    assert len(document["quarantine"]) == 2


GONE, THEIR_COOKIE, THEIR_CARD, THEIR_HASH = "gone-person", "gone-cookie", "gone-card", "gone-hash"
NAMING = {
    "customer_id": GONE, "customer_ref": GONE, "customer_a": GONE, "customer_b": GONE, "survivor_id": GONE,
    "merged_id": GONE, "visitor_id": THEIR_COOKIE, "value": THEIR_COOKIE, "card_no": THEIR_CARD,
    "email_hash": THEIR_HASH,
}  # fmt: skip


def cell(column: Any, table: str) -> Any:
    """Something that fits into a column; names the person where its name says that it names one."""
    kind = column.type
    if isinstance(kind, Instant):
        return NOW
    if isinstance(kind, Money):
        return 1
    if isinstance(kind, JSON):  # a definition names nobody; evidence, a detail or a kept-out row may
        about_persons = bool(PERSON_COLUMNS & set(column.table.c.keys())) or table in ("audit_log", "quarantine")
        return {"customer_id": GONE, "of": [THEIR_CARD]} if about_persons else {}
    if column.foreign_keys:
        return f"{next(iter(column.foreign_keys)).column.table.name}-id"
    python = kind.python_type
    if python is str and column.name in NAMING:
        return NAMING[column.name]
    if python is str:
        return f"{table}-id" if column.primary_key else f"{column.name} of {GONE}" if column.name == "text" else "x"
    return {int: 1, float: 1.0, bool: True, date: NOW.date(), bytes: b"x"}[python]


def test_every_table_that_names_persons_forgets_them_also_those_made_later(engine: Engine) -> None:
    """One row in every table there is, made from the columns alone: a table added tomorrow is covered by this."""
    with writing(engine) as session:
        for kind, value in (("cookie", THEIR_COOKIE), ("card", THEIR_CARD), ("email_hash", THEIR_HASH)):
            if kind != "cookie":  # the cookie's row is made below, like all others
                session.add(Identity(kind=kind, value=value, customer_ref=GONE, customer_id=GONE, linked_at=NOW))
        for table in metadata.sorted_tables:
            row = {c.name: cell(c, table.name) for c in table.columns if c.autoincrement is not True}
            row |= {"customers": {"merged_into": None}, "identities": {"kind": "cookie"}}.get(table.name, {})
            row |= {"audit_log": {"subject_kind": "customer", "subject_id": GONE}}.get(table.name, {})
            session.execute(insert(table).values(row))
    named = naming_cells(engine)
    assert {"pos_lines", "web_events", "identity_claims", "different_customers", "audit_log"} <= set(named)
    assert set(named) >= {t.name for t in metadata.sorted_tables if {"customer_id", "customer_ref"} & set(t.c.keys())}
    with writing(engine) as session:
        erase_customer(session, GONE, actor="coe", now=NOW)
    assert naming_cells(engine) == {}


def naming_cells(engine: Engine) -> dict[str, list[str]]:
    """Table → cells in which something of the person still stands."""
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    if any(trace in json.dumps(value, default=str) for trace in set(NAMING.values())):
                        found.setdefault(table.name, []).append(name)
    return found


def test_the_act_is_audited_without_the_person(engine: Engine, folder: Path, session: Session) -> None:
    erase_customer(session, "PERSON-1", actor="coe-7", now=NOW)
    entries = session.scalars(select(AuditEntry).order_by(AuditEntry.entry_id)).all()
    assert [(entry.actor, entry.action, entry.subject_id) for entry in entries] == [
        ("coe", "customer.merged", "erased"),
        ("coe-7", "customer.erased", "erased"),
    ]
    with pytest.raises(NotFound):
        erase_customer(session, "PERSON-1", actor="coe-7", now=NOW)
    with pytest.raises(NotFound):
        export_customer(session, "nobody")
