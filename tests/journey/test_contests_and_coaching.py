"""A clerk contests an outcome and the manager decides; notes and goals between the two."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.staff_success import report, roll_up
from journey.accounts import Account, add_account
from journey.audit import AuditEntry
from journey.coaching import CoachingEntry, close_goal, entries, remove_entry, write_entry
from journey.contests import contest_outcome, contests, decide_contest
from journey.customers import Customer
from journey.disclosure import export_customer
from journey.erasure import erase_customer
from journey.errors import Conflict, InputError, NotAllowed, NotFound
from journey.leavers import forget_clerk
from journey.outcomes import Outcome
from journey.stores import Clerk, Store
from journey.suggestions import Suggestion

NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)


@pytest.fixture
def shop(session: Session) -> Session:
    session.add(Store(store_id="001", name="本店"))
    session.add_all([Clerk(clerk_id=k, store_id="001", name=k) for k in ("K1", "K2")])
    session.add(Customer(customer_id="C1", name="山田"))
    for number in range(3):
        session.add(Suggestion(suggestion_id=f"S{number}", customer_id="C1", customer_ref="C1", store_id="001",
                               clerk_id="K1", shown_at=NOW, product_id="P", rank=1))  # fmt: skip
        session.add(Outcome(outcome_id=f"O{number}", suggestion_id=f"S{number}", clerk_id="K1", occurred_at=NOW,
                            received_at=NOW, result="declined"))  # fmt: skip
    session.flush()
    return session


def contest(session: Session, number: int = 0, wish: str = "bought") -> str:
    found = contest_outcome(session, f"O{number}", clerk_id="K1", wish=wish, reason="翌日お買い上げでした",
                            actor="account:a1", now=NOW + timedelta(days=1))  # fmt: skip
    return found.contest_id


def test_an_upheld_contest_corrects_the_outcome_and_keeps_its_history(shop: Session) -> None:
    roll_up(shop, now=NOW)
    waiting = contest(shop)
    assert [row.contest.state for row in contests(shop, store_id="001", state="open")] == ["open"]
    with pytest.raises(Conflict, match="contested already"):
        contest(shop)
    later = NOW + timedelta(days=2)
    decide_contest(shop, waiting, uphold=True, answer="", by="m1", actor="account:m1", now=later)
    rows = shop.execute(select(Outcome.result, Outcome.current).where(Outcome.suggestion_id == "S0")).all()
    assert sorted(rows) == [("bought", True), ("declined", False)]
    with pytest.raises(Conflict, match="decided already"):
        decide_contest(shop, waiting, uphold=False, answer="no", by="m1", actor="account:m1", now=later)
    roll_up(shop, now=later)
    (clerk,) = report(shop)["clerks"]
    assert (clerk["proposed"], clerk["accepted"]) == (3, 1)
    acts = shop.scalars(select(AuditEntry.action).order_by(AuditEntry.entry_id)).all()
    assert acts == ["outcome.contested", "outcome.contest_upheld"]


def test_what_was_not_mine_is_taken_back_and_a_rejection_needs_an_answer(shop: Session) -> None:
    mine = contest(shop, 1, wish="not_mine")
    decide_contest(shop, mine, uphold=True, answer="了解", by="m1", actor="account:m1", now=NOW)
    assert shop.get(Outcome, "O1").retracted_at == NOW  # type: ignore[union-attr]
    other = contest(shop, 2)
    with pytest.raises(InputError, match="answer"):
        decide_contest(shop, other, uphold=False, answer=" ", by="m1", actor="account:m1", now=NOW)
    decided = decide_contest(shop, other, uphold=False, answer="レシートがありません", by="m1", actor="a", now=NOW)
    assert (decided.state, decided.answer) == ("rejected", "レシートがありません")
    assert shop.get(Outcome, "O2").result == "declined"  # type: ignore[union-attr]


def test_only_the_own_outcome_and_only_with_a_reason(shop: Session) -> None:
    asked = {"wish": "bought", "reason": "x", "actor": "a", "now": NOW}
    with pytest.raises(NotAllowed):
        contest_outcome(shop, "O0", clerk_id="K2", **asked)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        contest_outcome(shop, "none", clerk_id="K1", **asked)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="reason"):
        contest_outcome(shop, "O0", clerk_id="K1", **(asked | {"reason": " "}))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="changes nothing"):
        contest_outcome(shop, "O0", clerk_id="K1", **(asked | {"wish": "declined"}))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        decide_contest(shop, "none", uphold=True, answer="", by="m", actor="a", now=NOW)


def test_erasing_the_customer_empties_what_was_written_about_the_proposal(shop: Session) -> None:
    waiting = contest(shop)
    note = write_entry(shop, clerk_id="K1", store_id="001", author="m1", author_name="店長", now=NOW,
                       text="山田様(C1)へのお声がけが良かった")  # fmt: skip
    assert export_customer(shop, "C1")["outcome_contests"][0]["contest_id"] == waiting
    summary = erase_customer(shop, "C1", actor="coe", now=NOW)
    assert summary.anonymised["outcome_contests"] == 1
    assert shop.get(CoachingEntry, note.entry_id).text == "―様(―)へのお声がけが良かった"  # type: ignore[union-attr]
    (row,) = contests(shop)
    assert (row.contest.contest_id, row.contest.reason, row.contest.state) == (waiting, "", "open")


def test_notes_and_goals(shop: Session) -> None:
    written = {"clerk_id": "K1", "store_id": "001", "author": "m1", "author_name": "店長"}
    note = write_entry(shop, text="声かけが早い", now=NOW, **written)  # type: ignore[arg-type]
    goal = write_entry(shop, text="記録を忘れない", now=NOW - timedelta(days=1), measure="recorded_share", target=0.9,
                       due_on=date(2026, 3, 31), **written)  # type: ignore[arg-type]  # fmt: skip
    assert [entry.entry_id for entry in entries(shop, "K1")] == [goal.entry_id, note.entry_id]
    assert close_goal(shop, goal.entry_id, clerk_id="K1", now=NOW).done_at == NOW
    assert [entry.kind for entry in entries(shop, "K1")] == ["note", "goal"]
    with pytest.raises(NotAllowed):
        remove_entry(shop, note.entry_id, clerk_id="K1", author="a1", now=NOW)
    with pytest.raises(NotFound):
        remove_entry(shop, note.entry_id, clerk_id="K2", author="m1", now=NOW)
    remove_entry(shop, note.entry_id, clerk_id="K1", author="m1", now=NOW)
    assert [entry.kind for entry in entries(shop, "K1")] == ["goal"]
    with pytest.raises(InputError, match="measure"):
        write_entry(shop, text="x", now=NOW, measure="rate", target=1.0, due_on=date(2026, 4, 1), **written)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="empty"):
        write_entry(shop, text=" ", now=NOW, **written)  # type: ignore[arg-type]


def test_a_leaver_is_forgotten_and_the_stores_counts_stay(shop: Session) -> None:
    add_account(shop, name="K1さん", role="clerk", clerk_id="K1", now=NOW)
    roll_up(shop, now=NOW)
    before = report(shop)["clerks"][0]["proposed"]
    write_entry(shop, clerk_id="K1", store_id="001", author="m1", author_name="店長", text="声かけが早い", now=NOW)
    write_entry(shop, clerk_id="K2", store_id="001", author="K1", author_name="K1さん", text="助かった", now=NOW)
    contest(shop)
    done = forget_clerk(shop, "K1", actor="coe", now=NOW)
    assert (done["coaching_entries"], done["accounts"], done["outcome_contests"]) == (1, 1, 1)
    assert entries(shop, "K1") == []
    assert [entry.author_name for entry in entries(shop, "K2")] == ["―"]
    assert (contests(shop)[0].contest.reason, shop.get(Clerk, "K1").name) == ("", "―")  # type: ignore[union-attr]
    assert shop.scalars(select(Account).where(Account.clerk_id == "K1")).all() == []
    roll_up(shop, now=NOW + timedelta(hours=1))
    assert report(shop)["clerks"][0]["proposed"] == before
    with pytest.raises(NotFound):
        forget_clerk(shop, "nobody", actor="coe", now=NOW)
