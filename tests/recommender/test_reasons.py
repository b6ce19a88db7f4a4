from __future__ import annotations

import string

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.suggestions import Suggestion
from recommender.candidate_set import GROUNDS
from recommender.reason_texts import REASONS, TALK
from recommender.reasons import talk_line, tell
from recommender.rules.consent import IMPERSONAL
from tests.recommender.counter import Counter, event
from tests.recommender.worlds import lists, model, own

FACTS = {"name": "麦茶", "about": "P1", "category": "お茶", "days": 42, "times": 3}


def test_both_languages_have_every_sentence_with_the_same_facts() -> None:
    def facts(text: str) -> set[str]:
        return {name.removesuffix("_ago") for _, name, _, _ in string.Formatter().parse(text) if name}

    assert REASONS["ja"].keys() == REASONS["en"].keys()
    assert TALK["ja"].keys() == TALK["en"].keys()
    for key, text in REASONS["ja"].items():
        assert facts(text) == facts(REASONS["en"][key]), key


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_ground_can_be_told_with_all_facts_or_with_none(ground: str, language: str) -> None:
    for facts in ({}, FACTS, {"days": 0}, {"name": "麦茶"}, {"days": 1, "times": 1}):
        text = tell({"ground": ground} | facts, language)
        assert text
        assert "{" not in text
        assert talk_line({"ground": ground}, language)


@pytest.mark.parametrize(
    ("evidence", "japanese", "english"),
    [
        ({"ground": "bought_before", "days": 42, "times": 3, "cycle_days": 40.0},
         "前回のご購入から42日。そろそろ補充の時期です", "Last bought 42 days ago; about time to restock"),
        ({"ground": "bought_before", "days": 10, "times": 3, "cycle_days": 40.0},
         "これまでに3回お買い上げです(前回は10日前)", "Bought 3 times so far, last 10 days ago"),
        ({"ground": "bought_before", "days": 10, "times": 1},
         "10日前にお買い上げいただいた商品です", "Bought 10 days ago"),
        ({"ground": "bought_before", "days": 150, "times": 3, "cycle_days": 40.0},
         "これまでに3回お買い上げです(前回は約5か月前)", "Bought 3 times so far, last about 5 months ago"),
        ({"ground": "bought_before", "days": 1, "times": 1},
         "昨日お買い上げいただいた商品です", "Bought yesterday"),
        ({"ground": "viewed", "name": "麦茶", "days": 1},
         "昨日ウェブでご覧になった『麦茶』の関連商品です", "Goes with “麦茶”, viewed on the web yesterday"),
        ({"ground": "carted", "days": 3},
         "3日前にウェブのカートにお入れになった商品です", "Put into the web cart 3 days ago"),
        ({"ground": "bought_with", "name": "麦茶"},
         "『麦茶』をお買い上げの方がよく一緒に選ばれています", "Customers who buy “麦茶” often choose this too"),
        ({"ground": "bought_with"}, "これまでのお買い物の傾向に合う商品です", "Fits what was bought so far"),
        ({"ground": "something of a later version"},
         "これまでのお買い物の傾向に合う商品です", "Fits what was bought so far"),
    ],
)  # fmt: skip
def test_sentences(evidence: dict[str, object], japanese: str, english: str) -> None:
    assert tell(evidence) == japanese
    assert tell(evidence, "en") == english
    assert tell(evidence, "fr") == japanese


def test_the_reason_of_a_repeat_comes_from_the_customers_own_purchases(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P0", 31, 61, 91)
    proposal = next(p for p in counter.ask().proposals if p.product_id == "P0")
    assert proposal.evidence == {"ground": "bought_before", "days": 31, "times": 3, "cycle_days": 30.0}
    assert proposal.reason == "前回のご購入から31日。そろそろ補充の時期です"
    assert proposal.talk == "いつもの商品、そろそろ切れる頃ではございませんか"


def test_the_other_language_can_be_told_later_from_what_was_stored(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P0", 31, 61, 91)
    japanese = counter.ask(events=[event("view", "P8", 1)], k=8)
    english = counter.ask(events=[event("view", "P8", 1)], k=8, language="en")
    session.expire_all()
    stored = session.execute(
        select(Suggestion).where(Suggestion.set_id == japanese.set_id).order_by(Suggestion.rank)
    ).scalars()
    assert [tell(row.evidence or {}, "en") for row in stored] == [p.reason for p in english.proposals]


def test_the_cited_evidence_moved_the_probability(session: Session) -> None:
    """Take the evidence away and the product loses what it had from it."""
    counter = Counter(session)
    cited = {p.product_id: p for p in counter.ask(k=10, events=[event("view", "P8")]).proposals}
    without = {p.product_id: p for p in counter.ask(k=10).proposals}
    assert cited["P9"].evidence["about"] == "P8"
    assert "P9" not in without
    assert cited["P8"].evidence["ground"] == "viewed_itself"
    assert cited["P8"].probability == pytest.approx(1 - 0.9 * (1 - without["P8"].probability))
    assert cited["P0"].probability == without["P0"].probability


def test_no_reason_is_personal_without_consent(session: Session) -> None:
    personal = lists([[own("P0", 0.4)], [], []], [f"P{i}" for i in range(10)])
    counter = Counter(session, model(ahead=personal))
    counter.bought("A", "P0", 31, 61)
    assert counter.ask().proposals[0].evidence["ground"] == "bought_before"
    counter.change(Customer, "A", consent_profiling=False)
    grounds = {p.evidence["ground"] for p in counter.ask(k=10, events=[event("view", "P8")]).proposals}
    assert grounds
    assert all(IMPERSONAL[GROUNDS.index(ground)] for ground in grounds)


def test_years_later_nobody_speaks_of_restocking() -> None:
    due = {"ground": "bought_before", "days": 60, "times": 3, "cycle_days": 30.0}
    assert "補充" in tell(due)
    assert tell(due | {"days": 2000}) == "以前お買い上げいただいた商品です"


def test_the_talk_line_fits_what_the_reason_says() -> None:
    due = {"ground": "bought_before", "days": 42, "times": 3, "cycle_days": 40.0}
    once, often = (
        {"ground": "bought_before", "days": 6, "times": 1},
        {"ground": "bought_before", "days": 10, "times": 3},
    )
    assert "切れる頃" in talk_line(due)
    assert not any("切れる頃" in talk_line(other) for other in (once, often, {"ground": "bought_before"}))
    assert "いつも" not in talk_line(once), "bought once is no habit"
