from __future__ import annotations

from datetime import timedelta
from random import Random

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.suggestions import Suggestion
from recommender.candidate_set import GROUND, Candidates, merge
from recommender.pipeline import compose
from recommender.requests import Policy, SuggestionRequest
from recommender.shown_sets import COLUMNS
from recommender.trained import RankedLists
from tests.recommender.counter import NOW, Counter, event, products
from tests.recommender.worlds import lists as ranked
from tests.recommender.worlds import model, neighbours, new


def part(*entries: tuple[int, float, bool, str]) -> Candidates:
    n = len(entries)
    return Candidates(
        np.array([e[0] for e in entries], np.int32), np.array([e[1] for e in entries]),
        np.array([e[2] for e in entries]), np.zeros(n, np.uint8),
        np.array([GROUND[e[3]] for e in entries], np.uint8), np.full(n, -1, np.int32), np.zeros(n),
    )  # fmt: skip


def test_merging_joins_probabilities_by_noisy_or_and_keeps_the_strongest_ground() -> None:
    merged = merge(
        [
            part((3, 0.2, True, "viewed"), (1, 0.5, False, "bought_before")),
            part((3, 0.5, True, "in_hand"), (7, 0.1, True, "popular")),
            part((1, 0.1, True, "viewed")),
        ]
    )
    assert merged.product.tolist() == [1, 3, 7]
    np.testing.assert_allclose(merged.probability, [0.55, 0.6, 0.1])
    assert merged.is_new.tolist() == [False, True, True]
    assert merged.ground.tolist() == [GROUND["bought_before"], GROUND["in_hand"], GROUND["popular"]]


def test_the_best_of_ahead_comes_first_by_probability_times_value(session: Session) -> None:
    answer = Counter(session).ask(k=5)
    # New ones count double: P4 .25 and P5 .20 beside the own P0 .40 and P1 .30; P6 .08 before P2 .10.
    assert products(answer)[0] == "P4"
    assert set(products(answer)[1:3]) == {"P0", "P5"}
    assert products(answer)[3:] == ["P1", "P6"]
    assert [p.rank for p in answer.proposals] == [1, 2, 3, 4, 5]
    assert {p.product_id: p.kind for p in answer.proposals}["P0"] == "repeat"
    assert {p.product_id: p.kind for p in answer.proposals}["P4"] == "explore"


@pytest.mark.parametrize(("kind", "expected"), [("repeat", ["P0", "P1", "P2"]), ("explore", ["P4", "P5", "P6", "P7"])])
def test_repeat_and_explore_are_two_lists(session: Session, kind: str, expected: list[str]) -> None:
    answer = Counter(session).ask(k=4, kind=kind)
    assert products(answer) == expected


def test_a_purchase_since_the_training_makes_a_product_known(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P4", 40, 20)
    assert "P4" in products(counter.ask(kind="repeat"))
    assert "P4" not in products(counter.ask(kind="explore"))


@pytest.mark.parametrize("customer", ["ゑ🍙", "nobody"])
def test_a_customer_without_history_gets_what_is_popular_in_the_store(session: Session, customer: str) -> None:
    counter = Counter(session)
    here, there = counter.ask(customer, k=3), counter.ask(customer, k=3, store_id="S2")
    assert products(here) == ["P0", "P1", "P2"]
    assert products(there) == ["P0", "P1", "P2"]
    assert {p.evidence["ground"] for p in here.proposals} == {"popular_here"}
    unknown_store = counter.ask(customer, k=3, store_id="S9")
    assert {p.evidence["ground"] for p in unknown_store.proposals} == {"popular"}


def test_a_view_on_the_web_moves_the_viewed_product_and_its_companions_up(session: Session) -> None:
    counter = Counter(session)
    before = products(counter.ask(k=8))
    after = counter.ask(k=9, events=[event("cart", "P8", 0.6)])
    assert before.index("P8") > products(after).index("P8")
    cart = next(p for p in after.proposals if p.product_id == "P8")
    assert cart.evidence["ground"] == "carted"
    assert "P9" not in before
    companion = next(p for p in after.proposals if p.product_id == "P9")
    assert companion.evidence == {"ground": "viewed", "about": "P8", "name": "商品8", "days": 1}


def test_interest_fades_and_ends_with_the_purchase(session: Session) -> None:
    counter = Counter(session)

    def chance(*events: object) -> float:
        answer = counter.ask(k=10, events=events)  # type: ignore[arg-type]
        return next((p.probability for p in answer.proposals if p.product_id == "P9"), 0.0)

    fresh, older, old = (chance(event("view", "P9", days)) for days in (0, 3, 20))
    assert fresh > older > old
    assert older == pytest.approx(old + (1 - old) * 0.05, abs=0.001)
    assert chance(event("purchase", "P9", 1), event("view", "P9", 2)) == old
    assert chance(event("view", "P9", 0), event("purchase", "P9", 1)) == fresh
    assert chance(event("search", query="商品9")) == pytest.approx(old + (1 - old) * 0.08, abs=0.001)


def test_without_consent_nothing_personal_is_proposed(session: Session) -> None:
    counter = Counter(session)
    counter.change(Customer, "A", consent_profiling=False)
    counter.bought("A", "P0", 40, 20)
    answer = counter.ask(k=5, events=[event("cart", "P8")], basket=("P3",))
    assert not answer.consent
    assert {p.evidence["ground"] for p in answer.proposals} <= {"popular", "popular_here", "in_hand"}
    assert answer.rules["consent"] > 0
    assert next(p for p in answer.proposals if p.product_id == "P0").evidence["ground"] == "in_hand"
    assert all(not p.marks for p in answer.proposals)


def test_an_unknown_consent_means_what_the_chain_has_set(session: Session) -> None:
    allowed = Counter(session, policy=Policy(exploration=0, consent_default=True))
    assert allowed.ask().consent
    allowed.policy = Policy(exploration=0, consent_default=False)
    assert not allowed.ask().consent


def test_what_goes_with_an_item_needs_nobody(session: Session) -> None:
    answer = Counter(session).ask(None, k=3, seen_products=("P0",))
    assert products(answer)[:2] == ["P4", "P9"]
    assert "P0" not in products(answer)
    assert answer.proposals[0].evidence == {"ground": "in_hand", "about": "P0", "name": "商品0"}


def test_every_shown_suggestion_is_written_down(session: Session) -> None:
    counter = Counter(session, policy=Policy(exploration=0.2))
    answer = counter.ask(k=4)
    rows = session.execute(
        select(Suggestion).where(Suggestion.set_id == answer.set_id).order_by(Suggestion.rank)
    ).scalars()
    stored = list(rows)
    assert [row.product_id for row in stored] == products(answer)
    assert [row.suggestion_id for row in stored] == [p.suggestion_id for p in answer.proposals]
    first, shown = stored[0], answer.proposals[0]
    assert (first.model, first.policy, first.arm, first.clerk_id) == ("v1", "ranked-e0.2", "treated", "K1")
    assert (first.reason, first.evidence, first.kind) == (shown.reason, dict(shown.evidence), shown.kind)
    assert first.shown_at == NOW
    assert all(0 < row.propensity <= 1 for row in stored if row.propensity is not None)


def test_the_holdout_arm_sees_nothing_and_is_logged(session: Session) -> None:
    counter = Counter(session, policy=Policy(holdout=0.5, exploration=0))
    arms = {customer: counter.ask(customer) for customer in ("A", "B", "ゑ🍙", *(f"C{i}" for i in range(40)))}
    held = {customer for customer, answer in arms.items() if answer.arm == "holdout"}
    assert 10 < len(held) < 33
    for customer in held:
        assert arms[customer].proposals == ()
        assert len(arms[customer].withheld) == 5
        logged = session.execute(select(Suggestion.arm).where(Suggestion.set_id == arms[customer].set_id)).scalars()
        assert set(logged) == {"holdout"}
        assert counter.ask(customer, store_id="S2", now=NOW + timedelta(days=9)).arm == "holdout"


def test_the_same_seed_explores_the_same(session: Session) -> None:
    counter = Counter(session)
    asked = SuggestionRequest(store_id="S1", customer_id="A", k=3)
    policy = Policy(exploration=0.5)

    def run(seed: int) -> list[str]:
        answer = compose(session, counter.loaded(), (), asked, now=NOW, policy=policy, random=Random(seed))
        return products(answer)

    assert run(3) == run(3)
    assert len({tuple(run(seed)) for seed in range(12)}) > 1


def test_enough_is_shown_even_when_the_first_candidates_are_out_of_stock(session: Session) -> None:
    many = [f"Q{i:03}" for i in range(200)]
    lists = [new(product, 0.5 - i / 1000) for i, product in enumerate(many)]
    trained = model(
        product_ids=many, ahead=ranked([lists[:120], [], []], many), cold=ranked([lists[120:], [], []], many),
        copurchase=neighbours({}, many), coview=neighbours({}, many),
    )  # fmt: skip
    counter = Counter(session, trained)
    for product in many[:118]:
        counter.stock(product, 0)
    answer = counter.ask(k=5)
    assert products(answer)[:2] == ["Q118", "Q119"]
    assert len(answer.proposals) == 5
    assert answer.rules["stock"] == 118


def test_nothing_to_propose_is_an_empty_set(session: Session) -> None:
    trained = model(ahead=RankedLists.empty(3), cold=RankedLists.empty(3))
    answer = Counter(session, trained).ask()
    assert answer.proposals == ()


def test_the_written_out_insert_fills_every_column() -> None:
    assert set(COLUMNS) == set(Suggestion.__table__.columns.keys())
