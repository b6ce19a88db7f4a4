"""What each know-how card did since it went live: adoption, effect, and whether it should stay."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.know_how.card_effect import WINDOW_DAYS, CardEffect, card_effect
from analytics.know_how.practices import MIN_ODDS_RATIO
from analytics.period import EPOCH_DAY
from analytics.staff_success.standings import day_number
from journey.clerk_roll_ups import ClerkProposalDay
from journey.know_how_cards import LIVE, Adoption, KnowHowCard, adoption
from journey.local_days import local_date, store_zone
from journey.stores import Clerk

MIN_DAYS = WINDOW_DAYS
SCHEMA = {"clerk_id": TEXT, "number": WHOLE, "proposed": WHOLE, "accepted": WHOLE, "offset_1": REAL}


def card_standing(session: Session, card: KnowHowCard, *, today: date) -> dict[str, Any]:
    """Return `adoption` (clerks who could see it, saw and tried it), `effect` and `advice`.

    The effect compares clerks who saw the card with those who had not yet, on proposals of the card's category, with
    what customers and products let expect taken out. Advice: keep, wait (too thin, or not four weeks old), retire
    (certain to harm, or certain to bring less than the least effect worth telling anybody), none for a card that is
    not live.
    """
    used = adoption(session, card.card_id)
    clerks = select(func.count()).where(Clerk.left_on.is_(None), Clerk.stub.is_(False))
    if card.store_id is not None:
        clerks = clerks.where(Clerk.store_id == card.store_id)
    effect = _effect(session, card, used, today)
    return {
        "clerks": session.scalar(clerks) or 0,
        "seen_by": used.seen_by,
        "tried_by": used.tried_by,
        "tried": used.tried,
        "effect": asdict(effect),
        "advice": _advice(card, effect, today),
    }


def _effect(session: Session, card: KnowHowCard, used: Adoption, today: date) -> CardEffect:
    adopted = {
        clerk: local_date(moment, store_zone(session, card.store_id or "")) for clerk, moment in used.first_seen.items()
    }
    if not adopted:
        return card_effect(pl.DataFrame(schema={"clerk_id": TEXT, "day": pl.Date, "proposed": WHOLE}), {})
    first = min(adopted.values()) - timedelta(days=WINDOW_DAYS)
    last = min(max(adopted.values()) + timedelta(days=WINDOW_DAYS), today)
    statement = (
        select(
            ClerkProposalDay.clerk_id,
            ClerkProposalDay.day,
            func.sum(ClerkProposalDay.proposed),
            func.sum(ClerkProposalDay.accepted),
            func.sum(ClerkProposalDay.offset_1),
        )
        .where(ClerkProposalDay.day.between(day_number(first), day_number(last)), ClerkProposalDay.proposed > 0)
        .group_by(ClerkProposalDay.clerk_id, ClerkProposalDay.day)
        .order_by(ClerkProposalDay.clerk_id, ClerkProposalDay.day)
    )
    if card.category:
        statement = statement.where(ClerkProposalDay.category == card.category.split(" > ")[0])
    days = query_frame(session, statement, SCHEMA).with_columns(
        day=pl.lit(EPOCH_DAY) + pl.duration(days=pl.col("number")), offset=pl.col("offset_1") / pl.col("proposed")
    )
    return card_effect(days, adopted)


def _advice(card: KnowHowCard, effect: CardEffect, today: date) -> str:
    if card.state != LIVE or card.live_at is None:
        return "none"
    if effect.verdict == "too_thin" or (today - card.live_at.date()).days < MIN_DAYS:
        return "wait"
    if effect.verdict == "harms" or effect.high < MIN_ODDS_RATIO:
        return "retire"
    return "keep" if effect.verdict == "helps" else "wait"
