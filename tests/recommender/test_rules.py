from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.products import Product
from journey.suggestions import ClerkTarget
from recommender.requests import Policy
from recommender.rules.holdout import HOLDOUT, TREATED, arm_of
from recommender.trained import RankedLists
from tests.recommender.counter import NOW, Counter, event, products
from tests.recommender.worlds import lists, model, new, own


def test_what_the_store_does_not_have_is_not_proposed(session: Session) -> None:
    counter = Counter(session)
    counter.stock("P4", 0)
    counter.stock("P5", 3)
    counter.stock("P0", 0, store="S2")
    answer = counter.ask()
    assert "P4" not in products(answer)
    assert {p.product_id: p.stock for p in answer.proposals}["P5"] == 3
    assert {p.product_id: p.stock for p in answer.proposals}["P0"] is None, "nobody counted: it may be there"
    assert answer.rules["stock"] == 1


def test_only_what_is_on_sale_today(session: Session) -> None:
    counter = Counter(session)
    today = date(2026, 6, 10)
    counter.change(Product, "P4", discontinued_on=today)
    counter.change(Product, "P5", discontinued_on=today + timedelta(days=1))
    counter.change(Product, "P0", released_on=today + timedelta(days=1))
    counter.change(Product, "P1", released_on=today)
    answer = counter.ask()
    assert {"P4", "P0"}.isdisjoint(products(answer))
    assert {"P5", "P1"} <= set(products(answer))
    assert answer.rules["on_sale"] == 2


@pytest.mark.parametrize("flag", [{"age_restricted": True}, {"sensitive": "yes"}])
def test_restricted_goods_are_never_inferred(session: Session, flag: dict[str, object]) -> None:
    counter = Counter(session)
    counter.change(Product, "P4", attributes=flag)
    counter.change(Product, "P0", attributes=flag)
    counter.change(Product, "P5", attributes={"age_restricted": False})
    counter.bought("A", "P0", 40, 20)
    answer = counter.ask(k=8, events=[event("view", "P4")])
    assert "P4" not in products(answer), "looking at it is no reason to propose it in front of others"
    assert {"P0", "P5"} <= set(products(answer))
    assert answer.rules["restricted"] == 1


@pytest.mark.parametrize("named", ["菓子 > 米菓", "菓子"])
def test_a_restricted_category_is_never_inferred(session: Session, named: str) -> None:
    counter = Counter(session)
    assert {"P4", "P5"} <= set(products(counter.ask(k=8)))
    counter.policy = Policy(exploration=0, restricted_categories=(named,))
    counter.bought("A", "P5", 40, 20)
    answer = counter.ask(k=8)
    assert "P4" not in products(answer)
    assert "P5" in products(answer), "bought before: that is no inference"
    assert "P0" in products(answer)


def test_what_was_just_bought_is_not_proposed_again_unless_it_is_due(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P0", 5)
    counter.bought("A", "P1", 9, 16, 23)
    counter.bought("A", "P2", 3, 33)
    answer = counter.ask(k=8)
    assert "P0" not in products(answer), "bought once, five days ago"
    assert "P1" in products(answer), "bought every seven days, nine days ago"
    assert "P2" not in products(answer), "bought every thirty days, three days ago"
    assert answer.rules["just_bought"] == 2


def test_a_product_most_buyers_buy_again_comes_back_after_one_purchase(session: Session) -> None:
    shares = np.zeros(10, np.float32)
    shares[0] = 0.6
    counter = Counter(session, model(arrays={"repeat_share": shares}))
    counter.bought("A", "P0", 5)
    counter.bought("A", "P1", 5)
    assert "P0" in products(counter.ask(k=8))
    assert "P1" not in products(counter.ask(k=8))
    counter.bought("A", "P0", 0.2)
    assert "P0" not in products(counter.ask(k=8)), "bought today"


def test_what_is_in_the_basket_is_not_proposed(session: Session) -> None:
    answer = Counter(session).ask(k=8, basket=("P4",), seen_products=("P5",))
    assert {"P4", "P5"}.isdisjoint(products(answer))


def test_what_was_declined_lately_rests(session: Session) -> None:
    counter = Counter(session)
    shown = counter.ask(now=NOW - timedelta(days=10))
    counter.answered(shown, "P4", "declined", days_ago=10)
    counter.answered(shown, "P5", "considering", days_ago=10)
    answer = counter.ask()
    assert "P4" not in products(answer)
    assert "P5" in products(answer)
    assert answer.rules["declined"] == 1
    assert "P4" in products(counter.ask(now=NOW + timedelta(days=25))), "after thirty days it may come back"


def test_a_dismissal_holds_until_it_runs_out(session: Session) -> None:
    counter = Counter(session)
    counter.dismissed("A", "P4", None)
    counter.dismissed("A", "P5", NOW + timedelta(days=1))
    counter.dismissed("A", "P0", NOW - timedelta(hours=1))
    counter.dismissed("B", "P1", None)
    answer = counter.ask()
    assert {"P4", "P5"}.isdisjoint(products(answer))
    assert {"P0", "P1"} <= set(products(answer))


def test_the_same_proposal_is_not_made_for_ever(session: Session) -> None:
    counter = Counter(session)
    for days in (4, 3, 2, 1):
        shown = counter.ask(now=NOW - timedelta(days=days))
        counter.ask(now=NOW - timedelta(days=days, minutes=1))
    assert "P4" in products(shown)
    counter.answered(shown, "P0", "considering", days_ago=1)
    answer = counter.ask(k=8)
    assert "P4" not in products(answer)
    assert "P0" in products(answer), "it met with interest"
    assert answer.rules["fatigue"] >= 1


def test_several_times_in_one_visit_is_not_fatigue(session: Session) -> None:
    counter = Counter(session)
    for minutes in range(6):
        answer = counter.ask(now=NOW + timedelta(minutes=minutes))
    assert "P4" in products(answer)


def test_at_most_so_many_of_a_category(session: Session) -> None:
    counter = Counter(session)
    for number in (0, 1, 4, 5, 6, 7):
        counter.change(Product, f"P{number}", category="菓子 > 飴")
    answer = counter.ask(k=4)
    assert sum(p.category == "菓子 > 飴" for p in answer.proposals) == 2
    assert len(answer.proposals) == 4
    assert answer.rules["diversity"] == 2
    for number in range(10):
        counter.change(Product, f"P{number}", category="菓子 > 飴")
    assert len(counter.ask(k=4).proposals) == 4, "where nothing else is left, the list is filled all the same"


def test_the_mix_follows_the_customers_chances_and_the_value_of_a_first_purchase(session: Session) -> None:
    counter = Counter(session, policy=Policy(exploration=0, first_purchase_value=0.01))
    assert [p.kind for p in counter.ask(k=3).proposals] == ["repeat"] * 3
    counter.policy = Policy(exploration=0, first_purchase_value=1.0)
    answer = counter.ask(k=3)
    # P0 .40; then new P4 .25 beats P1 .30 · (1 - .40); then P1 .18 beats P5 .20 · (1 - .25)
    assert products(answer) == ["P0", "P4", "P1"]
    assert "mix" not in answer.rules, "the same three as by chance alone, in another order"
    counter.policy = Policy(exploration=0, first_purchase_value=20.0)
    assert [p.kind for p in counter.ask(k=3).proposals] == ["explore"] * 3


def test_a_sure_repeat_leaves_room_for_something_new(session: Session) -> None:
    sure = [own("P0", 0.9), own("P1", 0.8), own("P2", 0.7), new("P4", 0.05, "P0"), new("P5", 0.04, "P0")]
    made = lists([sure, [], []], [f"P{i}" for i in range(10)])
    counter = Counter(session, model(ahead=made, cold=RankedLists.empty(3)), Policy(exploration=0))
    answer = counter.ask(k=3)
    assert products(answer) == ["P0", "P4", "P1"], "a third repeat adds .7 · .1 · .2, something new .05 · 2"
    assert answer.rules["mix"] == 1


def test_focus_merchandise_gets_its_slot_where_it_displaces_nothing_much_better(session: Session) -> None:
    counter = Counter(session)
    counter.campaign("P7", stores="S1|S3")
    answer = counter.ask(k=4)
    assert products(answer)[-1] == "P7"
    assert "focus" in answer.proposals[-1].marks
    assert answer.rules["focus"] == 1
    assert "P7" not in products(counter.ask(k=4, store_id="S2"))
    assert "P7" not in products(counter.ask(k=4, now=NOW + timedelta(days=30)))
    counter.policy = Policy(exploration=0, focus_worth=0.9)
    assert "P7" not in products(counter.ask(k=4))


def test_only_first_purchases_count_for_a_campaign(session: Session) -> None:
    counter = Counter(session)
    counter.campaign("P7")
    counter.bought("A", "P7", 40, 20)
    assert "P7" not in products(counter.ask(k=4))


def test_a_category_campaign_reaches_what_lies_below_it(session: Session) -> None:
    counter = Counter(session)
    counter.campaign("none")
    counter.change(ClerkTarget, "C1", product_id=None, category="菓子")
    focus = counter.loaded().catalogue.campaigns[0].focus
    assert [i for i in range(10) if focus[i]] == [4, 5, 6, 7]


def test_marks_tell_a_first_purchase_in_a_category(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P6", 100)
    marks = {p.product_id: p.marks for p in counter.ask(k=8).proposals}
    assert marks["P4"] == ("first_in_category",)
    assert marks["P7"] == ("first_purchase",), "P6 is of the same category"
    assert marks["P0"] == ()


def test_arms_are_drawn_by_customer_alone_at_the_share_asked_for() -> None:
    customers = [f"C{i}" for i in range(4000)]
    held = [c for c in customers if arm_of(c, 0.1, "") == HOLDOUT]
    assert 340 < len(held) < 460
    assert set(held) <= {c for c in customers if arm_of(c, 0.2, "") == HOLDOUT}, "a larger share keeps the smaller"
    assert set(held) != {c for c in customers if arm_of(c, 0.1, "another experiment") == HOLDOUT}
    assert arm_of(None, 1.0, "") == arm_of("C1", 0.0, "") == TREATED


def test_without_consent_purchases_are_not_looked_at(session: Session) -> None:
    counter = Counter(session)
    counter.bought("A", "P0", 40, 20)
    counter.change(Product, "P0", attributes={"age_restricted": True})
    counter.change(Customer, "A", consent_profiling=False)
    assert "P0" not in products(counter.ask(k=8))
