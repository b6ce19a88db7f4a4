from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from journey.actions import ActionPlan
from journey.availability import StoreRules, keep_rules, keep_terms
from journey.coaching import write_entry
from journey.contests import contest_outcome, decide_contest
from journey.customers import CustomerNote
from journey.database import connect, writing
from journey.errors import InputError
from journey.identity_review import declare_different, note_claim
from journey.intake.folder import import_folder
from journey.intake.writing_out import export
from journey.know_how_cards import CardText, make_card, record_use
from journey.offers import StoreEvent, record_shown
from journey.one_id import merge
from journey.questionnaires import Question, Sampling, publish, save_draft
from journey.survey_invitations import Invitation
from journey.survey_tasks import SurveyTask
from tests.journey.extracts import LINES, NOW, chain, line, rows_of, write_table

COMMENT = Question("comment", "", "comment", 0, 0, "ひとこと、お聞かせください", "Anything else?")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A chain with what is easily lost: emoji ids, fractions, unknowns, returns, un-carded and conflicting receipts."""
    folder = chain(tmp_path / "rich")
    rows = [
        line("🛒-1", customer_id="0001", product_id="👍", amount="0.0001", discount="-12.5"),
        line("R-un-carded", card_no="", quantity=-1, amount="-100.10"),
        line("R-card", card_no="0042", quantity="0.333", sold_at="2026-01-05T23:59:59.123456+09:00"),
        line("R-far", store_id="NY", sold_at="2026-01-05T23:30:00", channel=""),
        line("R-far", store_id="NY", sold_at="2026-01-05T23:30:00", channel="", amount="9"),
        line('R,"q"', clerk_id="K9", amount="123456789012.3456"),
    ]
    write_table(folder, "pos_lines", LINES, rows)
    head = "store_id name area timezone opened_on"
    write_table(
        folder, "stores", head, [("001", "本店", "東京", "Asia/Tokyo", ""), ("NY", "N\nY", "", "America/New_York", "")]
    )
    write_table(folder, "identities", "kind value customer_id linked_at", [("card", "0042", "C1", "2026-01-01")])
    write_table(folder, "stock", "store_id product_id quantity as_of", [("001", "P1", 0, "2026-01-01T00:00:00")])
    return folder


def test_export_import_export_gives_the_same_bytes(
    engine: Engine, rich: Path, tmp_path: Path, sqlite_template: Path
) -> None:
    import_folder(engine, rich, now=NOW)
    with writing(engine) as session:
        merge(session, "C1", "C2", actor="coe", now=NOW, evidence={"why": "same phone"})
        note_claim(session, "card", "0042", "0001", now=NOW)
        declare_different(session, "0001", "C1", actor="coe", now=NOW)
        note = CustomerNote(note_id="N1", customer_id="C1", clerk_id="K1", store_id="001", written_at=NOW, text="猫2匹")
        session.add(note)
        session.add(StoreEvent(event_id="E1", name="試食会", store_id="001", starts_at=NOW, ends_at=NOW, category=None))
        offered = {"offer_id": "F1", "customer_id": "C1", "customer_ref": "C2", "store_id": "001", "clerk_id": "K1"}
        offered |= {"shown_at": NOW, "kind": "event", "subject": "E1", "rank": 1, "usefulness": 0.125}
        record_shown(session, [offered])
        card = CardText(title="用途を伺う", talk_line="贈り物ですか?", category="食品", practice="listen_first")
        make_card(session, "W1", card, store_id="001", by="m1", now=NOW, evidence={"odds_ratio": 1.5})
        record_use(session, "U1", card_id="W1", clerk_id="K1", store_id="001", kind="seen", used_at=NOW)
        wish = {"clerk_id": "K1", "wish": "declined", "reason": "見送り", "actor": "a1", "now": NOW}
        contest = contest_outcome(session, "O2", **wish)
        decide_contest(session, contest.contest_id, uphold=False, answer="購入", by="m1", actor="a", now=NOW)
        write_entry(session, clerk_id="K1", store_id="001", author="m1", author_name="店長", text="声かけ", now=NOW,
                    measure="recorded_share", target=0.9, due_on=NOW.date())  # fmt: skip
        decide(session)
    told = export(engine, tmp_path / "first")
    assert told["pos_lines"] == 5
    for table in ("questionnaires", "survey_invitations", "survey_tasks", "action_plans", "clerk_terms",
                  "clerk_availability", "clerk_days_off", "store_rules"):  # fmt: skip
        assert told[table] >= 1, table
    assert told["merges"] == told["identity_claims"] == told["different_customers"] == 1
    assert "C2" in (tmp_path / "first" / "pos_lines.csv").read_text() or told["answers"] == 1
    empty = tmp_path / "empty.db"
    empty.write_bytes(sqlite_template.read_bytes())
    other = connect(f"sqlite:///{empty}")
    summary = import_folder(other, tmp_path / "first", now=NOW)
    assert summary.rejected == 0
    export(other, tmp_path / "second")
    assert contents(tmp_path / "first") == contents(tmp_path / "second")
    for query in (
        "SELECT receipt_id, line_no, local_day, customer_id, customer_ref FROM pos_lines ORDER BY receipt_id",
        "SELECT customer_id, merged_into FROM customers WHERE merged_into IS NOT NULL",
        "SELECT outcome_id, current FROM outcomes ORDER BY 1",
        "SELECT store_id, stub FROM stores ORDER BY 1",
        "SELECT customer_id, customer_ref FROM answers",
        "SELECT invitation_id, customer_id, customer_ref, token_hash FROM survey_invitations",
        "SELECT task_id, customer_id, customer_ref FROM survey_tasks",
    ):
        mine, theirs = rows_of(engine, query), rows_of(other, query)
        assert sorted(map(repr, map(tuple_of_ints, mine))) == sorted(map(repr, map(tuple_of_ints, theirs)))
    other.dispose()


def decide(session: Session) -> None:
    """What the CoE and a manager decided: a questionnaire, its invitation and follow-up, an action, terms of work."""
    tap = Question("touchpoint", "store", "faces", 1, 5, "ご来店はいかがでしたか?", "How was your visit?")
    save_draft(session, survey_id="TAP", name="ご来店後", kind="one_tap", touchpoint="store", questions=[tap],
               sampling=Sampling(low_score=None), by="coe", now=NOW)  # fmt: skip
    publish(session, "TAP", 1, by="coe", now=NOW)
    save_draft(session, survey_id="TAP", name="ご来店後 2", kind="one_tap", touchpoint="store",
               questions=[tap, COMMENT], sampling=Sampling(), by="coe", now=NOW)  # fmt: skip
    asked = {"survey_id": "TAP", "customer_id": "C1", "customer_ref": "C2", "store_id": "001"}
    session.add(Invitation(
        invitation_id="I1", token_hash="a" * 64, version=1, occasion="visit:1", clerk_id="K1", receipt_id="R-card",
        visit_id=None, occurred_at=NOW, made_at=NOW, expires_at=NOW, answered_at=NOW, response_id="A1",
        commented_at=None, **asked,
    ))  # fmt: skip
    session.add(SurveyTask(
        task_id="T1", response_id="A1", touchpoint="store", score=1.0, scale_max=5.0, opened_at=NOW,
        due_on=NOW.date(), assignee="m1", done_at=None, done_by=None, note=None, **asked,
    ))  # fmt: skip
    session.add(ActionPlan(
        action_id="P1", finding="待ち時間", owner="店長", unit="東", kpi="csat:store", baseline=61.5, target=70.0,
        starts_on=NOW.date(), due_on=NOW.date(), stores=["001"], comparison_stores=None, state="running",
        created_at=NOW,
    ))  # fmt: skip
    keep_terms(session, "K1", store_id="001", week_hours=27.5, plannable=True, hours={0: (36, 72), 5: (40, 80)},
               days_off=frozenset({NOW.date()}), actor="m1", now=NOW)  # fmt: skip
    rules = StoreRules(store_id="001", shortest_hours=4, longest_hours=8, week_hours=40, rest_hours=11, day_off_in=7,
                       hour_cost=None)  # fmt: skip
    keep_rules(session, rules, actor="m1", now=NOW)


def tuple_of_ints(row: tuple[object, ...]) -> tuple[object, ...]:
    """Booleans as SQLite gives them."""
    return tuple(int(value) if isinstance(value, bool) else value for value in row)


def test_the_export_says_what_was_delivered(engine: Engine, rich: Path, tmp_path: Path) -> None:
    import_folder(engine, rich, now=NOW)
    with writing(engine) as session:
        merge(session, "C1", "0001", actor="coe", now=NOW)
    export(engine, tmp_path / "out")
    lines = (tmp_path / "out" / "pos_lines.csv").read_text(encoding="utf-8").splitlines()
    emoji = next(row for row in lines if "🛒" in row)
    assert emoji.startswith('"🛒-1","1","001","2026-01-05T03:00:00+00:00","store","0001",,"👍","1","0.0001","-12.5"')
    assert any(row.startswith('"R-card"') and ',,"0042",' in row for row in lines)
    assert not (tmp_path / "out" / "traffic.csv").exists()


def test_gzipped_exports_are_the_same_twice(engine: Engine, rich: Path, tmp_path: Path) -> None:
    import_folder(engine, rich, now=NOW)
    export(engine, tmp_path / "a", compress=True)
    export(engine, tmp_path / "b", compress=True)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert (tmp_path / "a" / "pos_lines.csv.gz").exists()
    with pytest.raises(InputError, match=r"holds stores\.csv\.gz already"):
        export(engine, tmp_path / "a")


def test_a_questionnaire_that_no_screen_could_show_is_kept_out(engine: Engine, rich: Path, tmp_path: Path) -> None:
    import_folder(engine, rich, now=NOW)
    with writing(engine) as session:
        decide(session)
    export(engine, tmp_path / "out")
    file = tmp_path / "out" / "questionnaires.csv"
    file.write_text(file.read_text(encoding="utf-8").replace('""ja""', '""jp""', 1), encoding="utf-8")
    summary = import_folder(engine, tmp_path / "out", now=NOW)
    (reason,) = [r["reason"] for r in summary.reasons]
    assert "is not a list of objects with" in reason
