"""Cards on the record: a planted effect is found within its interval, and a card that harms is flagged."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from scipy import special
from sqlalchemy import delete
from sqlalchemy.orm import Session

from analytics.know_how import card_standing, kept_effects, roll_up
from analytics.staff_success.standings import day_number
from journey.clerk_roll_ups import ClerkProposalDay
from journey.know_how_cards import CardText, card_of, make_card, publish_card, record_use, retire_card
from journey.stores import Clerk, Store

LIVE = datetime(2026, 3, 2, 1, tzinfo=UTC)
TODAY = date(2026, 4, 30)
CLERKS = 40


def planted(session: Session, odds_ratio: float, *, seed: int = 1, seen: int = CLERKS // 2) -> None:
    """Two months of every clerk; half of them see the card on its first days and then reach these odds more often."""
    rng = np.random.default_rng(seed)
    session.add(Store(store_id="001", name="本店"))
    session.add_all([Clerk(clerk_id=f"K{k:02}", store_id="001", name=f"K{k}") for k in range(CLERKS)])
    make_card(session, "card", CardText("題", "ひとこと", category="食品 > 菓子"), store_id=None, by="coe", now=LIVE)
    publish_card(session, "card", now=LIVE)
    skill = rng.normal(0, 0.4, CLERKS)
    start = day_number(LIVE.date()) - 28
    for clerk in range(CLERKS):
        saw = day_number(LIVE.date()) + clerk % 5 if clerk < seen else None
        if saw is not None:
            at = LIVE + timedelta(days=clerk % 5)
            record_use(session, f"U{clerk}", card_id="card", clerk_id=f"K{clerk:02}", store_id="001", kind="seen",
                       used_at=at)  # fmt: skip
        for day in range(start, start + 60):
            season = 0.3 * (day > start + 28)  # whatever happened to everybody is not the card's doing
            for category, effect in (("食品", odds_ratio), ("日用品", 1 / odds_ratio)):
                after = saw is not None and day > saw
                chance = special.expit(-1 + skill[clerk] + season + after * np.log(effect))
                offset = float(rng.normal(0, 0.1))
                session.add(
                    ClerkProposalDay(
                        clerk_id=f"K{clerk:02}", day=day, store_id="001", category=category, services=4, identified=4,
                        shown=12, recorded=10, proposed=8, accepted=int(rng.binomial(8, chance)), confirmed=0,
                        first_purchases=0, offset_1=8 * offset, offset_2=0.0, offset_3=0.0, offset_4=0.0, offset_5=0.0,
                    )
                )  # fmt: skip
    session.flush()


@pytest.mark.parametrize(("odds_ratio", "advice"), [(1.5, "keep"), (0.6, "retire")])
def test_a_planted_effect_is_found_within_its_interval(session: Session, odds_ratio: float, advice: str) -> None:
    planted(session, odds_ratio)
    found = card_standing(session, card_of(session, "card"), today=TODAY)
    effect = found["effect"]
    assert effect["low"] <= odds_ratio <= effect["high"]
    assert effect["high"] / effect["low"] < 1.6
    assert (effect["adopters"], effect["compared"]) == (20, 20)
    assert (found["clerks"], found["seen_by"], found["tried_by"]) == (CLERKS, 20, 0)
    assert found["advice"] == advice
    assert 0.7 < effect["before"] < 1.4
    early = card_standing(session, card_of(session, "card"), today=LIVE.date() + timedelta(days=20))
    assert early["advice"] == "wait"
    retire_card(session, "card", why="", now=LIVE + timedelta(days=50))
    assert card_standing(session, card_of(session, "card"), today=TODAY)["advice"] == "none"


def test_a_card_that_does_nothing_for_many_is_flagged_and_one_seen_by_nobody_waits(session: Session) -> None:
    planted(session, 0.97, seed=3)
    found = card_standing(session, card_of(session, "card"), today=TODAY)
    assert found["effect"]["high"] < 1.25
    assert found["advice"] in ("retire", "wait")
    make_card(session, "new", CardText("題", "ひとこと"), store_id="001", by="m", now=LIVE)
    publish_card(session, "new", now=LIVE)
    nobody = card_standing(session, card_of(session, "new"), today=TODAY)
    assert (nobody["seen_by"], nobody["effect"]["verdict"], nobody["advice"]) == (0, "too_thin", "wait")


def test_the_night_keeps_the_effects_that_screens_read(session: Session) -> None:
    planted(session, 1.5)
    now = datetime.combine(TODAY, time(3), UTC)
    fresh = card_standing(session, card_of(session, "card"), today=TODAY)
    assert kept_effects(session) == {}
    assert roll_up(session, now=now)["cards"] == 1
    session.execute(delete(ClerkProposalDay))
    assert card_standing(session, card_of(session, "card"), today=TODAY, kept=kept_effects(session)) == fresh
    make_card(session, "draft", CardText("題", "ひとこと"), store_id=None, by="m", now=LIVE)
    retire_card(session, "card", why="", now=now)
    roll_up(session, now=now + timedelta(days=1))
    assert set(kept_effects(session)) == {"card"}  # a retired card keeps what was known of it
    assert (
        card_standing(session, card_of(session, "card"), today=TODAY, kept=kept_effects(session))["effect"]
        == fresh["effect"]
    )
