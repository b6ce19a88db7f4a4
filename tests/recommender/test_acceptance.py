from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.suggestions import Suggestion
from recommender.acceptance import Acceptance, Answered, expit, judged, learn, logit_of
from recommender.answered_proposals import answered_before
from tests.recommender.counter import Counter
from tests.recommender.worlds import model

START = datetime(2026, 3, 1, tzinfo=UTC)
USUAL = np.array([0.05, 0.1, 0.2], np.float32)


def proposals(count: int, seed: int = 4, intercept: float = 0.8) -> Answered:
    """Outcomes of a known law: log odds of acceptance = intercept + .7 · log odds of purchase - .6 new + .5 web."""
    random = np.random.default_rng(seed)
    chance = random.beta(1.2, 8, count).astype(np.float32)
    is_new, web = random.random(count) < 0.6, random.random(count) < 0.2
    return Answered(chance, is_new, web, random.random(count) < truth(chance, is_new, web, intercept))


def truth(chance: np.ndarray, is_new: np.ndarray, web: np.ndarray, intercept: float = 0.8) -> np.ndarray:
    return expit(intercept + 0.7 * logit_of(chance) - 0.6 * is_new + 0.5 * web)


def test_the_law_of_acceptance_is_found_and_calibrated_on_outcomes_not_learnt_from() -> None:
    learnt = learn(proposals(20_000), USUAL)
    assert learnt.outcomes == 20_000
    assert learnt.weights == pytest.approx((0.8, 0.7, -0.6, 0.5), abs=0.12)
    fresh = proposals(20_000, seed=5)
    stated = learnt(fresh.chance, fresh.is_new, fresh.web)
    assert np.abs(stated - truth(fresh.chance, fresh.is_new, fresh.web)).mean() < 0.02
    told = judged(proposals(20_000), USUAL)
    assert told["held_out"] == 4_000
    assert told["ece"] <= 0.02
    assert sum(row["n"] for row in told["reliability"]) == 4_000
    chances = [row["stated"] for row in told["reliability"]]
    assert chances == sorted(chances)


def test_what_has_turned_shows_in_the_error() -> None:
    early, late = proposals(8_000), proposals(2_000, seed=6, intercept=-1.2)
    both = Answered(*(np.concatenate([getattr(early, n), getattr(late, n)])
                      for n in ("chance", "is_new", "web", "accepted")))  # fmt: skip
    assert judged(both, USUAL)["ece"] > 0.1


def test_without_outcomes_the_chance_of_purchase_stands_and_few_move_it_little() -> None:
    chance, known, off_line = np.array([0.03, 0.4]), np.zeros(2, np.bool_), np.zeros(2, np.bool_)
    assert learn(Answered(), USUAL)(chance, known, off_line).tolist() == [0.03, 0.4]
    few = proposals(6)
    few = Answered(few.chance, few.is_new, few.web, np.arange(6) == 3)
    moved = learn(few, USUAL)(chance, known, off_line)
    assert 0.02 < moved[0] < 0.09
    assert judged(few, USUAL) == {"outcomes": 6, "elsewhere": 0}


def test_of_another_recommenders_proposals_only_the_level_is_taken() -> None:
    learnt = learn(Answered(elsewhere=(998, 299)), USUAL)
    stated = learnt(USUAL, np.ones(3, np.bool_), np.zeros(3, np.bool_))
    assert stated.mean() == pytest.approx(0.3, abs=0.001)
    assert (np.diff(stated) > 0).all()


def test_it_survives_being_kept_as_json() -> None:
    learnt = learn(proposals(4_000), USUAL)
    assert learnt.curve is not None
    again = Acceptance.of(learnt.described())
    fresh = proposals(100, seed=9)
    given = fresh.chance, fresh.is_new, fresh.web
    assert again(*given).tolist() == learnt(*given).tolist()
    assert Acceptance.of(None).learnt_nothing


def test_only_what_was_known_and_put_to_the_customer_counts() -> None:
    rows = [
        ("own", 0.1, 0.2, "explore", "web", [("declined", 1), ("bought", 3)]),
        ("unsaid", 0.1, 0.2, "repeat", "als", [("not_proposed", 1)]),
        ("late", 0.3, 0.2, "repeat", "als", [("declined", 9)]),
        ("unanswered", 0.3, 0.2, "repeat", "als", []),
        ("other", 0.7, None, None, None, [("bought", 2)]),
        ("odd", 12.0, None, None, None, [("considering", 2)]),
    ]
    suggestions = pl.DataFrame(
        [row[:5] for row in rows], ["suggestion_id", "score", "probability", "kind", "source"], orient="row"
    )
    outcomes = pl.DataFrame(
        [(row[0], START + timedelta(days=day), result) for row in rows for result, day in row[5]],
        {"suggestion_id": pl.String, "occurred_at": pl.Datetime("us", "UTC"), "result": pl.String}, orient="row",
    )  # fmt: skip
    found = answered_before(suggestions, outcomes, START + timedelta(days=5))
    assert (found.chance.tolist(), found.is_new.tolist(), found.web.tolist(), found.accepted.tolist()) == (
        [pytest.approx(0.1)], [True], [True], [True],
    )  # fmt: skip
    assert found.elsewhere == (2, 1)
    before = answered_before(suggestions, outcomes, START + timedelta(days=2))
    assert before.accepted.tolist() == [False], "the correction was not known yet"
    assert len(answered_before(suggestions, outcomes, START)) == 0


def test_proposals_are_ordered_and_told_by_their_acceptance(session: Session) -> None:
    law = {"weights": [1.0, 1.0, -4.0, 0.0], "outcomes": 500, "curve": None}
    counter = Counter(session, model(parameters={"acceptance": law}))
    answer = counter.ask(k=4)
    assert [p.kind for p in answer.proposals][:3] == ["repeat"] * 3, "new things are seldom accepted here"
    for proposal in answer.proposals:
        new = proposal.kind == "explore"
        told = expit(1.0 + logit_of(np.array([proposal.score])) - 4.0 * new)[0]
        assert proposal.probability == pytest.approx(told)
    stored = session.execute(select(Suggestion.score, Suggestion.probability).order_by(Suggestion.rank)).all()
    assert [tuple(row) for row in stored] == [(p.score, p.probability) for p in answer.proposals]
