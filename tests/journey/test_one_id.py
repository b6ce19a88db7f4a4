from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from journey.audit import AuditEntry
from journey.customers import Customer, CustomerNote
from journey.database import writing
from journey.errors import Conflict, InputError, NotFound
from journey.intake.folder import import_folder
from journey.one_id import link, merge, merges_of, split, undo_merge
from tests.journey.extracts import LINES, NOW, books, line, rows_of, write_table

IDENTITIES = "kind value customer_id linked_at"
OWNERS = (
    "SELECT 'till', receipt_id, customer_id FROM pos_lines "
    "UNION ALL SELECT 'web', event_id, customer_id FROM web_events "
    "UNION ALL SELECT 'survey', response_id, customer_id FROM answers ORDER BY 1, 2"
)


def facts(folder: Path) -> Path:
    """Sales, browsing and answers, none of which names a customer unless by card, cookie or e-mail hash."""
    write_table(folder, "pos_lines", LINES, [line("R1", card_no="0042"), line("R2", card_no="0077"), line("R3"),
                                             line("R4", customer_id="B", card_no="0042")])  # fmt: skip
    write_table(
        folder, "web_events", "event_id occurred_at visitor_id customer_id kind",
        [("E1", "2026-01-05", "cookie-1", "", "view"), ("E2", "2026-01-05", "cookie-2", "", "view")],
    )  # fmt: skip
    write_table(
        folder, "answers", "response_id question survey_id answered_at score email_hash",
        [("A1", "nps", "S", "2026-01-06", 9, "ab12"), ("A2", "nps", "S", "2026-01-06", 2, "")],
    )  # fmt: skip
    return folder


def identities(folder: Path) -> Path:
    rows = [("card", "0042"), ("cookie", "cookie-1"), ("email_hash", "ab12")]
    write_table(folder, "identities", IDENTITIES, [(kind, value, "A", "2026-01-07") for kind, value in rows])
    return folder


LINKED = [
    ("survey", "A1", "A"), ("survey", "A2", None), ("till", "R1", "A"), ("till", "R2", None), ("till", "R3", None),
    ("till", "R4", "B"), ("web", "E1", "A"), ("web", "E2", None),
]  # fmt: skip


@pytest.mark.parametrize("order", ["links first", "facts first", "together"])
def test_card_cookie_and_email_of_one_person_lead_to_one_customer(engine: Engine, tmp_path: Path, order: str) -> None:
    if order == "links first":
        import_folder(engine, identities(tmp_path / "links"), now=NOW)
        import_folder(engine, facts(tmp_path / "facts"), now=NOW)
    elif order == "facts first":
        import_folder(engine, facts(tmp_path / "facts"), now=NOW)
        assert {owner for _, _, owner in rows_of(engine, OWNERS)} == {None, "B"}
        assert import_folder(engine, identities(tmp_path / "links"), now=NOW).relinked == 3
    else:
        import_folder(engine, identities(facts(tmp_path / "both")), now=NOW)
    assert rows_of(engine, OWNERS) == LINKED
    delivered = rows_of(engine, "SELECT customer_ref, card_no FROM pos_lines ORDER BY receipt_id")
    assert delivered == [(None, "0042"), (None, "0077"), (None, None), ("B", "0042")]


def test_an_identifier_that_leads_elsewhere_is_a_conflict(engine: Engine, tmp_path: Path) -> None:
    import_folder(engine, identities(facts(tmp_path / "x")), now=NOW)
    shared = tmp_path / "shared"
    write_table(shared, "identities", IDENTITIES, [("card", "0042", "B", "2026-01-09")])
    assert books(import_folder(engine, shared, now=NOW), "identities") == (1, 0, 0, 0, 0, 1)
    assert rows_of(engine, OWNERS) == LINKED


def test_linking_on_the_spot_moves_what_was_anonymous(engine: Engine, tmp_path: Path) -> None:
    import_folder(engine, identities(facts(tmp_path / "x")), now=NOW)
    with writing(engine) as session:
        assert link(session, "card", "0077", "A", actor="till", now=NOW) == 1
        assert link(session, "card", "0077", "A", actor="till", now=NOW) == 0
        with pytest.raises(Conflict, match="leads to another customer"):
            link(session, "card", "0077", "B", actor="till", now=NOW)
        with pytest.raises(NotFound):
            link(session, "card", "0099", "nobody", actor="till", now=NOW)
        with pytest.raises(InputError):
            link(session, "fax", "0099", "A", actor="till", now=NOW)
    assert ("till", "R2", "A") in rows_of(engine, OWNERS)


def test_a_merge_moves_everything_and_its_undoing_brings_everything_back(engine: Engine, tmp_path: Path) -> None:
    import_folder(engine, identities(facts(tmp_path / "x")), now=NOW)
    with writing(engine) as session:
        session.add(CustomerNote(note_id="N", customer_id="B", clerk_id="K", store_id="001", written_at=NOW, text="t"))
    before = rows_of(engine, OWNERS)
    with writing(engine) as session:
        made = merge(session, "A", "B", actor="coe", now=NOW, evidence={"phone": "same"})
        assert session.get_one(Customer, "B").merged_into == "A"
        with pytest.raises(Conflict, match="one customer already"):
            merge(session, "B", "A", actor="coe", now=NOW)
    assert ("till", "R4", "A") in rows_of(engine, OWNERS)
    assert rows_of(engine, "SELECT customer_id FROM customer_notes") == [("A",)]
    # what is delivered for B from now on leads to A as well
    later = tmp_path / "later"
    write_table(later, "pos_lines", LINES, [line("R9", customer_id="B")])
    write_table(later, "identities", IDENTITIES, [("card", "0099", "B", "2026-02-01")])
    import_folder(engine, later, now=NOW)
    assert rows_of(engine, "SELECT customer_id, customer_ref FROM pos_lines WHERE receipt_id = 'R9'") == [("A", "B")]
    with writing(engine) as session:
        undone = split(session, "B", actor="coe", now=NOW)
        assert (undone.merge_id, undone.undone_by) == (made.merge_id, "coe")
        with pytest.raises(Conflict, match="undone already"):
            undo_merge(session, made.merge_id, actor="coe", now=NOW)
        with pytest.raises(Conflict, match="not merged with anybody"):
            split(session, "A", actor="coe", now=NOW)
        acts = session.scalars(select(AuditEntry.action).order_by(AuditEntry.entry_id)).all()
        assert acts == ["customer.merged", "customer.split"]
    assert [row for row in rows_of(engine, OWNERS) if row[1] != "R9"] == before
    assert rows_of(engine, "SELECT customer_id FROM pos_lines WHERE receipt_id = 'R9'") == [("B",)]
    assert rows_of(engine, "SELECT customer_id FROM customer_notes") == [("B",)]
    assert rows_of(engine, "SELECT customer_id FROM identities WHERE value = '0099'") == [("B",)]


def test_chains_of_merges_come_apart_one_by_one(session: Session) -> None:
    for name in "ABC":
        session.add(Customer(customer_id=name))
    session.flush()
    merge(session, "B", "C", actor="coe", now=NOW)
    merge(session, "A", "C", actor="coe", now=NOW)  # C is B by now, so B joins A
    owners = select(Customer.customer_id, Customer.merged_into).order_by(Customer.customer_id)
    assert [tuple(row) for row in session.execute(owners)] == [("A", None), ("B", "A"), ("C", "A")]
    assert [(m.survivor_id, m.merged_id) for m in merges_of(session, "C")] == [("B", "C"), ("A", "B")]
    split(session, "C", actor="coe", now=NOW)
    assert [tuple(row) for row in session.execute(owners)] == [("A", None), ("B", "A"), ("C", None)]
    split(session, "A", actor="coe", now=NOW)
    assert [tuple(row) for row in session.execute(owners)] == [("A", None), ("B", None), ("C", None)]


def test_merges_of_a_delivery_are_applied(engine: Engine, tmp_path: Path) -> None:
    folder = identities(facts(tmp_path / "x"))
    head = "survivor_id merged_id merged_at merged_by evidence undone_at undone_by"
    write_table(folder, "merges", head, [("A", "B", "2026-01-08T00:00:00Z", "coe", '{"why": "phone"}', "", "")])
    import_folder(engine, folder, now=NOW)
    assert ("till", "R4", "A") in rows_of(engine, OWNERS)
    again = tmp_path / "again"
    undone = ("A", "B", "2026-01-08T00:00:00Z", "coe", '{"why": "phone"}', "2026-01-09T00:00:00Z", "coe")
    write_table(again, "merges", head, [undone])
    assert books(import_folder(engine, again, now=NOW), "merges") == (1, 0, 1, 0, 0, 0)
    assert rows_of(engine, OWNERS) == LINKED
