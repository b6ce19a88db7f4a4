"""Two hundred customers who buy in two stores and tell what they think: for tests and pictures of the CX pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from analytics.action_plans import move_action, open_action
from clerk_ui.coe.questionnaire_templates import TEMPLATES
from journey.actions import ActionPlan
from journey.customers import Customer
from journey.purchases import PosLine
from journey.questionnaires import Question, Questionnaire, Sampling, publish, save_draft
from journey.survey_invitations import make_invitations
from journey.survey_tasks import open_tasks_of_low_scores
from journey.surveys import Answer, Survey
from journey.units import assign_member
from tests.journey.survey_people import blank

PEOPLE = 200
WORDS = ("レジで待たされて残念でした", "スタッフの方が親切でした", "アプリが使いにくい", "品ぞろえが豊富で便利です")
WHOLE = ("overall", "emotional_trust", "emotional_love", "rational_price", "rational_function", "nps")


def heard_customers(session: Session, *, now: datetime, products: tuple[str, ...]) -> None:
    """Customers C0… with up to five purchases each, and a sheet on the whole and on two touchpoints, with words.

    The whole goes with the store much more than with the app.
    """
    draw = np.random.default_rng(7)
    session.add(blank(Survey, survey_id="V", name="定点", kind="periodic"))
    for n in range(PEOPLE):
        store, taste = ("S1", "S2")[n % 2], float(draw.normal())
        session.add(blank(Customer, customer_id=f"C{n}", name=f"客 {n}", consent_contact=True))
        for k in range(int(draw.integers(1, 6))):
            at = now - timedelta(days=int(draw.integers(1, 200)), hours=n % 9)
            session.add(
                blank(PosLine, receipt_id=f"R{n}-{k}", line_no=1, store_id=store, channel="store",
                      customer_id=f"C{n}", customer_ref=f"C{n}", sold_at=at, quantity=1.0, amount=200 + 10 * k,
                      local_day=(at.date() - date(1970, 1, 1)).days, product_id=products[k % len(products)])
            )  # fmt: skip
        marks = {("touchpoint", "store"): taste, ("touchpoint", "app"): float(draw.normal())}
        whole = 0.8 * taste + 0.2 * marks["touchpoint", "app"] + float(draw.normal(0, 0.5))
        marks |= {(question, ""): whole + float(draw.normal(0, 0.3)) for question in WHOLE}
        for (question, touchpoint), mark in marks.items():
            session.add(
                blank(Answer, response_id=f"A{n}", question=question, touchpoint=touchpoint, survey_id="V",
                      customer_id=f"C{n}", customer_ref=f"C{n}", store_id=store, scale_max=10.0,
                      scale_min=0.0 if question == "nps" else 1.0, answered_at=now - timedelta(days=n % 90),
                      score=float(np.clip(round(7 + 1.5 * mark), 1, 10)),
                      comment=WORDS[n % 4] if question == "overall" else None)
            )  # fmt: skip
    session.flush()


def listening(session: Session, *, now: datetime) -> str:
    """Surveys under way, customers to come back to, actions in two units; returns the token of an open link."""
    visit = published(session, "visit", now, share=1.0, quarantine_days=1)
    published(session, "periodic", now)
    for n, days in ((1, 6), (2, 0)):
        at = now - timedelta(days=days, hours=1)
        session.add(
            blank(Answer, response_id=f"L{n}", question="touchpoint", touchpoint="store", survey_id="ONETAP-STORE",
                  customer_id=f"C{2 * n}", customer_ref=f"C{2 * n}", store_id="S1", score=float(n), scale_min=1.0,
                  scale_max=5.0, answered_at=at, comment="会計の順番を飛ばされました")
        )  # fmt: skip
        session.flush()
        open_tasks_of_low_scores(session, visit, since=at, now=at + timedelta(minutes=1))
    assign_member(session, unit="店舗運営部", area="接客", account_id="M1", part="lead", by="test", now=now)
    for name, finding, kpi, stores in (
        ("A1", "待ち時間への不満が多い", "theme:waiting", ["S1"]),
        ("A2", "店舗の満足度が低い", "csat:store", None),
    ):
        plan = ActionPlan(
            action_id=name, finding=finding, owner="店長", owner_id="M1", unit="店舗運営部", area="接客", kpi=kpi,
            baseline=None, target=None, starts_on=now.date() - timedelta(days=45), due_on=now.date(), stores=stores,
            comparison_stores=None, state="proposed", created_at=now, source="drivers",
        )  # fmt: skip
        open_action(session, plan)
        move_action(session, name, "running")
    receipt = blank(PosLine, receipt_id="R-today", line_no=1, store_id="S1", channel="store", customer_id="C199",
                    customer_ref="C199", sold_at=now - timedelta(hours=5), quantity=1.0, amount=300, product_id="P",
                    local_day=(now.date() - date(1970, 1, 1)).days)  # fmt: skip
    session.add(receipt)
    session.flush()
    return make_invitations(session, visit, secret="s", now=now, consent_by_default=True)[0][1]


def published(session: Session, template: str, now: datetime, **sampling: float) -> Questionnaire:
    """A questionnaire of a template in use."""
    given = TEMPLATES[template]
    draft = save_draft(
        session, survey_id=given["survey_id"], name=given["name"], kind=given["kind"],
        touchpoint=given["touchpoint"] or None, questions=[Question(**row) for row in given["questions"]],
        sampling=Sampling(**(given["sampling"] | sampling)), by="test", now=now,
    )  # fmt: skip
    return publish(session, draft.survey_id, draft.version, by="test", now=now)
