"""Questionnaires to begin with: after a visit, after a delivery, and the periodic one that the analyses know."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from journey.questionnaires import Question, Sampling

WORDS = Question(
    "comment", "", "comment", 0, 0, "よろしければ、ひとことお聞かせください", "Anything you would like to tell us?"
)
FELL_SHORT = Question(
    "comment",
    "",
    "comment",
    1,
    2,
    "ご期待に沿えなかったのは、どんなところでしょうか?",
    "What fell short of what you expected?",
)
WENT_WELL = Question(
    "comment", "", "comment", 3, 5, "よろしければ、よかったところや気になるところをお聞かせください",
    "Anything that was good, or that we should look at?",
)  # fmt: skip


def _ten(question: str, ja: str, en: str, touchpoint: str = "", low: int = 1) -> Question:
    return Question(question, touchpoint, "scale", low, 10, ja, en)


def _one_tap(survey_id: str, name: str, touchpoint: str, ja: str, en: str, **sampling: Any) -> dict[str, Any]:
    tap = Question("touchpoint", touchpoint, "faces", 1, 5, ja, en)
    return {
        "survey_id": survey_id, "name": name, "kind": "one_tap", "touchpoint": touchpoint,
        "questions": [asdict(tap), asdict(FELL_SHORT), asdict(WENT_WELL)], "sampling": asdict(Sampling(**sampling)),
    }  # fmt: skip


TEMPLATES: dict[str, dict[str, Any]] = {
    "visit": _one_tap(
        "ONETAP-STORE", "ご来店後ワンタップアンケート", "store",
        "本日のご来店はいかがでしたか?", "How was your visit?",
    ),
    "delivery": _one_tap(
        "ONETAP-DELIVERY", "お届け後ワンタップアンケート", "delivery",
        "お届けはいかがでしたか?", "How was the delivery?", delay_hours=72,
    ),
    "periodic": {
        "survey_id": "PERIODIC", "name": "定期お客様アンケート", "kind": "periodic", "touchpoint": "",
        "questions": [
            asdict(question)
            for question in (
                _ten("overall", "すべてを含めて、当社に満足していますか?", "All in all, are you satisfied with us?"),
                _ten("nps", "ご家族やご友人に、当社をすすめたいですか?", "Would you recommend us?", low=0),
                _ten("emotional_trust", "当社を信頼していますか?", "Do you trust us?"),
                _ten("emotional_attachment", "当社に愛着を感じますか?", "Do you feel attached to us?"),
                _ten("rational_price", "価格に納得していますか?", "Are our prices fair?"),
                _ten("rational_convenience", "便利に使えていますか?", "Are we convenient?"),
                _ten("touchpoint", "店舗での体験に満足していますか?", "Are you satisfied with our stores?", "store"),
                _ten("touchpoint", "アプリに満足していますか?", "Are you satisfied with our app?", "app"),
                _ten("touchpoint", "ネットショップに満足していますか?", "Are you satisfied with our web shop?", "ec"),
                _ten("touchpoint", "お届けに満足していますか?", "Are you satisfied with our deliveries?", "delivery"),
                WORDS,
            )
        ],
        "sampling": asdict(Sampling(share=0.1, quarantine_days=90, valid_days=21, low_score=3)),
    },
}  # fmt: skip
