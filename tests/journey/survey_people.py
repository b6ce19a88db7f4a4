"""A store with many customers who bought today, and questionnaires to ask them with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.purchases import PosLine
from journey.questionnaires import Question, Questionnaire, Sampling, publish, save_draft
from journey.stores import Clerk, Store

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # 18:00 on a Monday in Tokyo
TAP = Question("touchpoint", "store", "faces", 1, 5, "本日のご来店はいかがでしたか?", "How was your visit today?")
WORDS = Question("comment", "", "comment", 0, 0, "よろしければひとこと", "A word, if you like")
SECRET = "a secret of this installation"


def blank(table: type, **known: Any) -> Any:
    columns = {c.key: None for c in table.__table__.columns if c.default is None}  # type: ignore[attr-defined]
    return table(**(columns | known))


def published(session: Session, survey_id: str = "ONETAP-STORE", **known: Any) -> Questionnaire:
    sampling = Sampling(**({"share": 1.0, "store_day_quota": 10_000} | known))
    draft = save_draft(
        session, survey_id=survey_id, name="ご来店後", kind="one_tap", touchpoint="store", questions=[TAP, WORDS],
        sampling=sampling, by="account:coe", now=NOW,
    )  # fmt: skip
    return publish(session, survey_id, draft.version, by="account:coe", now=NOW)


def shoppers(session: Session, count: int, *, store: str = "S1", first: int = 0, **customer: Any) -> list[str]:
    """Customers who each bought once, a few hours ago, served by clerk K1."""
    if session.get(Store, store) is None:
        session.add(blank(Store, store_id=store, name=f"{store}店", timezone="Asia/Tokyo"))
        session.add(blank(Clerk, clerk_id=f"K-{store}", store_id=store, name="係"))
    names = [f"P{number:04d}" for number in range(first, first + count)]
    for place, name in enumerate(names):
        session.add(blank(Customer, **({"customer_id": name, "consent_contact": True} | customer)))
        session.add(
            blank(
                PosLine, receipt_id=f"R-{name}", line_no=1, store_id=store, channel="store", customer_id=name,
                sold_at=NOW - timedelta(hours=4, minutes=place % 60), customer_ref=name, clerk_id=f"K-{store}",
                local_day=20514, product_id="G", quantity=1.0, amount=100,
            )
        )  # fmt: skip
    session.flush()
    return names
