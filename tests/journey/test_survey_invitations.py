"""Who is asked: drawn by a keyed hash, rested in between, within the store's quota, and only who may be asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.errors import Conflict, InputError
from journey.purchases import PosLine
from journey.questionnaires import Question, Sampling, find_version, publish, retire, save_draft, versions
from journey.survey_invitations import Invitation, drawn, make_invitations
from journey.surveys import Answer, Survey
from journey.visits import Contact, Visit
from tests.journey.survey_people import NOW, SECRET, TAP, WORDS, blank, published, shoppers


def invited(session: Session, **known: object) -> list[Invitation]:
    questionnaire = published(session, **known)
    return again(session, questionnaire)


def again(session: Session, questionnaire: object, *, hours: int = 0, secret: str = SECRET) -> list[Invitation]:
    made = make_invitations(
        session, questionnaire, secret=secret, now=NOW + timedelta(hours=hours), consent_by_default=True  # type: ignore[arg-type]
    )  # fmt: skip
    assert len({token for _, token in made}) == len(made)
    assert all(len(token) >= 40 for _, token in made)
    return [invitation for invitation, _ in made]


def test_a_share_is_drawn_that_another_secret_would_draw_otherwise(session: Session) -> None:
    shoppers(session, 1000)
    asked = {i.customer_id for i in invited(session, share=0.2)}
    assert 150 < len(asked) < 250
    by_name = {f"P{n:04d}" for n in range(1000) if drawn(SECRET, "ONETAP-STORE", f"receipt:R-P{n:04d}") < 0.2}
    assert asked == by_name
    other = {f"P{n:04d}" for n in range(1000) if drawn("other", "ONETAP-STORE", f"receipt:R-P{n:04d}") < 0.2}
    assert 20 < len(asked & other) < 70  # a fifth of a fifth: knowing the receipt tells nothing


def test_a_run_of_cron_repeated_asks_nobody_twice_and_keeps_no_token(session: Session) -> None:
    shoppers(session, 20)
    questionnaire = published(session)
    first = again(session, questionnaire)
    assert len(first) == 20
    assert again(session, questionnaire, hours=1) == []
    one = first[0]
    assert (one.store_id, one.clerk_id, one.receipt_id, one.occasion) == (
        "S1", "K-S1", f"R-{one.customer_id}", f"receipt:R-{one.customer_id}",
    )  # fmt: skip
    assert one.expires_at == NOW + timedelta(days=7)


def test_the_rested_the_unwilling_and_the_recently_heard_are_left_alone(session: Session) -> None:
    shoppers(session, 10)
    shoppers(session, 5, first=100, consent_contact=False)
    shoppers(session, 5, first=200, consent_contact=None)
    session.add(
        blank(Answer, response_id="A", question="nps", touchpoint="", survey_id="PERIODIC", customer_id="P0003",
              answered_at=NOW - timedelta(days=59), score=9.0)
    )  # fmt: skip
    session.add(
        blank(Answer, response_id="B", question="nps", touchpoint="", survey_id="PERIODIC", customer_id="P0004",
              answered_at=NOW - timedelta(days=61), score=9.0)
    )  # fmt: skip
    session.flush()
    asked = {i.customer_id for i in invited(session)}
    assert asked == {f"P{n:04d}" for n in (0, 1, 2, 4, 5, 6, 7, 8, 9)} | {f"P{n:04d}" for n in range(200, 205)}
    other = published(session, "ONETAP-OTHER")
    assert again(session, other) == []  # another survey does not tire them either


def test_those_who_said_nothing_are_asked_only_where_the_chain_allows(session: Session) -> None:
    shoppers(session, 5, consent_contact=None)
    made = make_invitations(session, published(session), secret=SECRET, now=NOW, consent_by_default=False)
    assert made == []


def test_a_store_has_a_quota_a_day_on_its_own_calendar(session: Session) -> None:
    shoppers(session, 30)
    shoppers(session, 4, store="S2", first=500)
    questionnaire = published(session, store_day_quota=5)
    first = again(session, questionnaire)
    assert [i.store_id for i in first].count("S1") == 5
    assert [i.store_id for i in first].count("S2") == 4
    assert again(session, questionnaire, hours=2) == []  # 20:00 in Tokyo: the same day
    assert len(again(session, questionnaire, hours=7)) == 5  # 01:00: a new day


def test_the_delay_and_the_look_back_bound_what_is_asked(session: Session) -> None:
    shoppers(session, 3)
    questionnaire = published(session, delay_hours=6)
    assert again(session, questionnaire) == []
    assert len(again(session, questionnaire, hours=3)) == 3
    shoppers(session, 3, first=50)
    assert again(session, questionnaire, hours=24 * 4) == []


def test_a_visit_that_ended_with_nothing_is_asked_about_too(session: Session) -> None:
    shoppers(session, 1)
    session.add(
        blank(Visit, visit_id="V1", store_id="S1", customer_id="P0000", customer_ref="P0000", source="scan",
              arrived_at=NOW - timedelta(hours=5), ended_at=NOW - timedelta(hours=4), clerk_id="K-S1")
    )  # fmt: skip
    session.flush()
    asked = invited(session)
    assert len(asked) == 1  # one person, one question, however many occasions


@pytest.mark.parametrize(("touchpoint", "occasion"), [("ec", "receipt:E"), ("app", "receipt:A"), ("call", "contact:K")])
def test_each_touchpoint_has_its_own_occasions(session: Session, touchpoint: str, occasion: str) -> None:
    shoppers(session, 3)
    at = NOW - timedelta(hours=4)
    for receipt, channel, customer in (("E", "ec", "P0000"), ("A", "app", "P0001")):
        session.add(
            blank(PosLine, receipt_id=receipt, line_no=1, store_id="S1", channel=channel, customer_id=customer,
                  customer_ref=customer, sold_at=at, local_day=1, product_id="G", quantity=1.0, amount=100)
        )  # fmt: skip
    session.add(blank(Contact, contact_id="K", customer_id="P0002", channel="call", started_at=at))
    session.flush()
    tap = Question("touchpoint", touchpoint, "faces", 1, 5, "いかがでしたか?", "How was it?")
    draft = save_draft(session, survey_id="X", name="x", kind="one_tap", touchpoint=touchpoint, questions=[tap],
                       sampling=Sampling(share=1.0), by="coe", now=NOW)  # fmt: skip
    made = again(session, publish(session, "X", draft.version, by="coe", now=NOW))
    assert [invitation.occasion for invitation in made] == [occasion]


def test_everybody_of_a_period_is_asked_once_a_period(session: Session) -> None:
    shoppers(session, 6)
    questions = [Question("overall", "", "scale", 1, 10, "総合", "Overall"), WORDS]
    draft = save_draft(session, survey_id="PERIODIC", name="定期", kind="periodic", touchpoint=None,
                       questions=questions, sampling=Sampling(share=1.0, quarantine_days=1), by="coe",
                       now=NOW)  # fmt: skip
    periodic = publish(session, "PERIODIC", draft.version, by="coe", now=NOW)
    assert len(again(session, periodic)) == 6
    assert again(session, periodic, hours=48) == []


def test_a_published_version_never_changes(session: Session) -> None:
    first = published(session)
    asked = list(first.questions)
    draft = save_draft(session, survey_id="ONETAP-STORE", name="新しい名前", kind="one_tap", touchpoint="store",
                       questions=[TAP], sampling=Sampling(), by="coe", now=NOW)  # fmt: skip
    assert (draft.version, draft.state) == (2, "draft")
    again_saved = save_draft(session, survey_id="ONETAP-STORE", name="もっと新しい名前", kind="one_tap",
                             touchpoint="store", questions=[TAP], sampling=Sampling(), by="coe", now=NOW)  # fmt: skip
    assert again_saved.version == 2
    session.expire_all()
    kept = find_version(session, "ONETAP-STORE", 1)
    assert (kept.state, kept.name, kept.questions) == ("published", "ご来店後", asked)
    publish(session, "ONETAP-STORE", 2, by="coe", now=NOW)
    assert [(v.version, v.state) for v in versions(session)] == [(2, "published"), (1, "retired")]
    assert session.get(Survey, "ONETAP-STORE").name == "もっと新しい名前"  # type: ignore[union-attr]
    with pytest.raises(Conflict):
        publish(session, "ONETAP-STORE", 1, by="coe", now=NOW)
    retire(session, "ONETAP-STORE", by="coe", now=NOW)
    assert session.scalars(select(Survey.survey_id)).all() == ["ONETAP-STORE"]


@pytest.mark.parametrize(
    ("known", "word"),
    [
        ({"survey_id": "a b"}, "survey_id"),
        ({"kind": "daily"}, "kind"),
        ({"touchpoint": None}, "touchpoint"),
        ({"questions": []}, "questions"),
        ({"questions": [WORDS]}, "first question"),
        ({"questions": [TAP, TAP]}, "each question once"),
        ({"questions": [Question("nps", "", "scale", 1, 5, "推奨", "Recommend")]}, "0–10"),
        ({"questions": [Question("DROP TABLE", "", "scale", 1, 5, "?", "?")]}, "known name"),
        ({"sampling": Sampling(share=0)}, "share"),
    ],
)  # fmt: skip
def test_a_questionnaire_that_cannot_be_is_refused_with_the_reason(
    session: Session, known: dict[str, object], word: str
) -> None:
    whole = {"survey_id": "A", "name": "n", "kind": "one_tap", "touchpoint": "store", "questions": [TAP],
             "sampling": Sampling(), "by": "coe", "now": NOW} | known  # fmt: skip
    with pytest.raises(InputError, match=word):
        save_draft(session, **whole)  # type: ignore[arg-type]
