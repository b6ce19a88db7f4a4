"""A tap counts at once and once; a low one becomes somebody's task; all of it goes with the person."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from journey.accounts import add_account
from journey.database import writing
from journey.disclosure import export_customer
from journey.erasure import erase_customer
from journey.errors import InputError, NotFound
from journey.local_days import local_date, zone
from journey.one_id import merge
from journey.questionnaires import Question, Sampling, publish, save_draft
from journey.survey_answering import answer, comment, sheet_of
from journey.survey_invitations import Invitation, make_invitations
from journey.survey_tasks import SurveyTask, assign, finish, open_tasks_of_low_scores, tasks
from journey.surveys import Answer
from tests.journey.survey_people import NOW, SECRET, TAP, WORDS, blank, published, shoppers

MARK = "touchpoint:store"


def asked(session: Session, count: int = 1) -> list[tuple[Invitation, str]]:
    shoppers(session, count)
    session.flush()
    return make_invitations(session, published(session), secret=SECRET, now=NOW, consent_by_default=True)


def test_a_tap_is_an_answer_tied_to_customer_store_and_receipt(session: Session) -> None:
    [(invitation, token)] = asked(session)
    sheet = answer(session, token, {MARK: "4"}, now=NOW + timedelta(hours=1))
    assert sheet.state == "answered"
    row = session.scalars(select(Answer)).one()
    assert (row.question, row.touchpoint, row.score, row.scale_min, row.scale_max) == ("touchpoint", "store", 4, 1, 5)
    assert (row.customer_id, row.store_id, row.survey_id) == ("P0000", "S1", "ONETAP-STORE")
    assert row.asked_at == NOW
    assert (invitation.response_id, invitation.receipt_id, invitation.clerk_id) == (row.response_id, "R-P0000", "K-S1")


def test_a_second_tap_and_a_late_one_change_nothing(session: Session) -> None:
    (_, first), (_, late) = asked(session, 2)
    answer(session, first, {MARK: "5"}, now=NOW)
    assert answer(session, first, {MARK: "1"}, now=NOW).state == "answered"
    assert session.scalars(select(Answer.score)).all() == [5]
    assert answer(session, late, {MARK: "1"}, now=NOW + timedelta(days=7)).state == "expired"
    assert session.scalar(select(func.count()).select_from(Answer)) == 1


def test_words_may_follow_once_on_the_same_sheet(session: Session) -> None:
    [(_, token)] = asked(session)
    with pytest.raises(InputError):
        comment(session, token, "早すぎる", now=NOW)
    answer(session, token, {MARK: "5"}, now=NOW)
    comment(session, token, "  とても\nよかった ", now=NOW)
    assert comment(session, token, "もう一度", now=NOW).state == "finished"
    rows = session.execute(select(Answer.question, Answer.comment, Answer.response_id).order_by(Answer.question)).all()
    assert [(question, said) for question, said, _ in rows] == [("comment", "とても よかった"), ("touchpoint", None)]
    assert rows[0].response_id == rows[1].response_id


def test_who_was_not_content_is_asked_in_other_words(session: Session) -> None:
    short = Question("comment", "", "comment", 1, 2, "何が足りませんでしたか?", "What fell short?")
    well = Question("comment", "", "comment", 4, 5, "よかったところは?", "What was good?")
    draft = save_draft(session, survey_id="TAP", name="ご来店後", kind="one_tap", touchpoint="store",
                       questions=[TAP, short, well], sampling=Sampling(share=1.0), by="coe", now=NOW)  # fmt: skip
    shoppers(session, 3)
    live = publish(session, "TAP", draft.version, by="coe", now=NOW)
    made = make_invitations(session, live, secret=SECRET, now=NOW, consent_by_default=True)
    asked_then = {}
    for (_, token), mark in zip(made, "135", strict=True):
        assert sheet_of(session, token, now=NOW).comment is None
        answer(session, token, {MARK: mark}, now=NOW)
        sheet = sheet_of(session, token, now=NOW)
        asked_then[mark] = (sheet.comment and sheet.comment.en, sheet.state)
    assert asked_then == {
        "1": ("What fell short?", "answered"), "3": (None, "finished"), "5": ("What was good?", "answered"),
    }  # fmt: skip
    comment(session, made[0][1], "返品の案内", now=NOW)
    assert session.scalars(select(Answer.comment).where(Answer.question == "comment")).all() == ["返品の案内"]


def test_two_questions_for_words_after_the_same_mark_are_refused(session: Session) -> None:
    one = Question("comment", "", "comment", 1, 3, "何が?", "What?")
    for other in ((3, 5), (0, 0), (6, 8)):
        words = [one, Question("comment", "", "comment", *other, "ほかには?", "Else?")]
        with pytest.raises(InputError, match="after each mark"):
            save_draft(session, survey_id="TAP", name="ご来店後", kind="one_tap", touchpoint="store",
                       questions=[TAP, *words], sampling=Sampling(), by="coe", now=NOW)  # fmt: skip


@pytest.mark.parametrize("mark", ["", "0", "6", "x", "-1", "²", "1e0", "5" * 5000])
def test_a_mark_that_is_not_on_the_scale_is_no_answer(session: Session, mark: str) -> None:
    [(_, token)] = asked(session)
    with pytest.raises(InputError):
        answer(session, token, {MARK: mark}, now=NOW)
    assert sheet_of(session, token, now=NOW).state == "open"


def test_a_guessed_link_leads_nowhere(session: Session) -> None:
    [(invitation, _)] = asked(session)
    for guess in ("", "x", invitation.invitation_id, invitation.token_hash):
        with pytest.raises(NotFound):
            sheet_of(session, guess, now=NOW)


def test_taps_at_the_same_moment_count_once(engine: Engine) -> None:
    with writing(engine) as session:
        [(_, token)] = asked(session)
    failures: list[BaseException] = []

    def tap(mark: str) -> None:
        try:
            with writing(engine) as own:
                answer(own, token, {MARK: mark}, now=NOW)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=tap, args=(str(1 + n % 5),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with Session(engine) as session:
        assert session.scalar(select(func.count()).select_from(Answer)) == 1
        assert session.scalar(select(func.count()).select_from(SurveyTask)) in (0, 1)


def test_a_periodic_sheet_takes_what_was_answered_and_needs_the_first(session: Session) -> None:
    shoppers(session, 1)
    questions = [
        Question("overall", "", "scale", 1, 10, "総合", "Overall"),
        Question("nps", "", "scale", 0, 10, "推奨", "Recommend"),
        Question("touchpoint", "app", "scale", 1, 10, "アプリ", "App"),
        WORDS,
    ]
    draft = save_draft(session, survey_id="PERIODIC", name="定期", kind="periodic", touchpoint=None,
                       questions=questions, sampling=Sampling(share=1.0, low_score=4), by="coe", now=NOW)  # fmt: skip
    periodic = publish(session, "PERIODIC", draft.version, by="coe", now=NOW)
    [(_, token)] = make_invitations(session, periodic, secret=SECRET, now=NOW, consent_by_default=True)
    with pytest.raises(InputError):
        answer(session, token, {"nps:": "9"}, now=NOW)
    answer(session, token, {"overall:": "4", "nps:": "0", "unknown:": "7"}, now=NOW)
    assert {row.question: row.score for row in session.scalars(select(Answer))} == {"overall": 4, "nps": 0}
    assert session.scalars(select(SurveyTask.score)).all() == [4]


def test_a_low_mark_opens_a_task_for_the_stores_manager_with_a_deadline(session: Session) -> None:
    (_, low), (_, fine) = asked(session, 2)
    add_account(session, name="高橋 店長", role="manager", account_id="m1", store_id="S1", now=NOW)
    add_account(session, name="別の店長", role="clerk", account_id="c1", store_id="S1", now=NOW)
    answer(session, low, {MARK: "2"}, now=NOW)
    answer(session, fine, {MARK: "3"}, now=NOW)
    comment(session, low, "レジで待たされた", now=NOW)
    today = local_date(NOW, zone("Asia/Tokyo"))
    [open_task] = tasks(session, store_id="S1", today=today)
    assert (open_task.task.assignee, open_task.assignee_name, open_task.comment) == (
        "m1",
        "高橋 店長",
        "レジで待たされた",
    )
    assert open_task.task.due_on == today + timedelta(days=3)
    assert not open_task.overdue
    assert tasks(session, store_id="S1", today=today + timedelta(days=4))[0].overdue
    assert tasks(session, store_id="S2", today=today) == []
    task_id = open_task.task.task_id
    assign(session, task_id, "c1", by="m1", now=NOW)
    with pytest.raises(InputError):
        finish(session, task_id, " ", by="c1", now=NOW)
    finish(session, task_id, "お電話でお詫びしました", by="c1", now=NOW)
    finish(session, task_id, "あとから", by="m1", now=NOW)
    assert tasks(session, store_id="S1", today=today) == []
    [done] = tasks(session, store_id="S1", today=today, done=True)
    assert (done.task.note, done.task.done_by) == ("お電話でお詫びしました", "c1")


def test_low_scores_that_came_by_file_are_followed_up_once(session: Session) -> None:
    asked(session)
    questionnaire = published(session, low_score=2)
    for number, (customer, score) in enumerate((("P0000", 2.0), ("P0000", 3.0), (None, 1.0))):
        session.add(
            blank(Answer, response_id=f"F{number}", question="touchpoint", touchpoint="store", score=score,
                  survey_id="ONETAP-STORE", customer_id=customer, customer_ref=customer, store_id="S1",
                  answered_at=NOW - timedelta(days=1), scale_min=1.0, scale_max=5.0)
        )  # fmt: skip
    session.flush()
    since = NOW - timedelta(days=7)
    assert open_tasks_of_low_scores(session, questionnaire, since=since, now=NOW) == 1
    assert open_tasks_of_low_scores(session, questionnaire, since=since, now=NOW) == 0


def test_a_merge_carries_invitations_and_tasks_and_an_erasure_removes_them(session: Session) -> None:
    (_, one), (_, other) = asked(session, 2)
    answer(session, one, {MARK: "1"}, now=NOW)
    answer(session, other, {MARK: "1"}, now=NOW)
    session.flush()
    merge(session, "P0000", "P0001", actor="coe", now=NOW)
    session.expire_all()
    assert set(session.scalars(select(Invitation.customer_id))) == {"P0000"}
    assert set(session.scalars(select(SurveyTask.customer_id))) == {"P0000"}
    held = export_customer(session, "P0001")
    assert (len(held["survey_invitations"]), len(held["survey_tasks"]), len(held["answers"])) == (2, 2, 2)
    erase_customer(session, "P0000", actor="coe", now=NOW)
    for table in (Invitation, SurveyTask):
        assert session.scalar(select(func.count()).select_from(table)) == 0
    assert session.scalars(select(Answer.customer_id)).all() == [None, None]  # the marks stay, nobody's
