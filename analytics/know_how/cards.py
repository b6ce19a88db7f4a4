"""What each know-how card did since it went live: adoption, effect, and whether it should stay."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.know_how.card_effect import WINDOW_DAYS, CardEffect, card_effect
from analytics.know_how.practices import MIN_ODDS_RATIO
from analytics.period import EPOCH_DAY
from analytics.staff_success.standings import day_number
from journey.analysis_results import keep_result, stored_result
from journey.clerk_roll_ups import ClerkProposalDay
from journey.know_how_cards import LIVE, RETIRED, Adoption, KnowHowCard, adoption, cards
from journey.local_days import local_date, store_zone
from journey.stores import Clerk

EFFECTS = "know_how_cards"
MIN_DAYS = WINDOW_DAYS
SCHEMA = {"clerk_id": TEXT, "number": WHOLE, "proposed": WHOLE, "accepted": WHOLE, "offset_1": REAL}


def card_standing(
    session: Session, card: KnowHowCard, *, today: date, kept: Mapping[str, CardEffect] | None = None
) -> dict[str, Any]:
    """Return `adoption` (clerks who could see it, saw and tried it), `effect` and `advice`.

    The effect is the *kept* one of the card (see `kept_effects`), else worked out now. It compares clerks who saw the
    card with those who had not yet, on proposals of the card's category, with what customers and products let expect
    taken out. Advice: keep, wait (too thin, or not four weeks old), retire (certain to harm, or certain to bring less
    than the least effect worth telling anybody), none for a card that is not live.
    """
    used = adoption(session, card.card_id)
    clerks = select(func.count()).where(Clerk.left_on.is_(None), Clerk.stub.is_(False))
    if card.store_id is not None:
        clerks = clerks.where(Clerk.store_id == card.store_id)
    effect = (kept or {}).get(card.card_id) or _effect(session, card, used, today)
    return {
        "clerks": session.scalar(clerks) or 0,
        "seen_by": used.seen_by,
        "tried_by": used.tried_by,
        "tried": used.tried,
        "effect": asdict(effect),
        "advice": _advice(card, effect, today),
    }


def keep_effects(session: Session, *, today: date, now: datetime) -> int:
    """Work out the effects of all cards that ever went live and keep them; returns how many. The caller commits.

    Weeks of all clerks are compared for each, so a screen reads what the night kept. A retired card keeps its last one.
    """
    began, effects = time.perf_counter(), kept_effects(session)
    due: dict[str, list[tuple[KnowHowCard, dict[str, date]]]] = {}
    shown = cards(session, store_id=None, states=(LIVE, RETIRED))
    for card in shown:
        if card.state == LIVE or card.card_id not in effects:
            due.setdefault(_category(card), []).append((card, _adopted(session, card, adoption(session, card.card_id))))
    for category, some in due.items():  # whose days are read once for all cards of the category
        windows = [_window(adopted, today) for _, adopted in some if adopted]
        first, last = min((w[0] for w in windows), default=today), max((w[1] for w in windows), default=today)
        days = _clerk_days(session, category, first, last)
        effects |= {card.card_id: card_effect(days, adopted) for card, adopted in some}
    document = {card.card_id: asdict(effects[card.card_id]) for card in shown}
    keep_result(session, EFFECTS, {}, document, computed_at=now, seconds=time.perf_counter() - began)
    return len(document)


def effects_kept(session: Session) -> bool:
    """Whether any night has kept them yet."""
    return stored_result(session, EFFECTS) is not None


def kept_effects(session: Session) -> dict[str, CardEffect]:
    """The effects that the last night worked out, by card; a card that went live since has none yet."""
    stored = stored_result(session, EFFECTS)
    return {} if stored is None else {card: CardEffect(**effect) for card, effect in stored.document.items()}


def _effect(session: Session, card: KnowHowCard, used: Adoption, today: date) -> CardEffect:
    adopted = _adopted(session, card, used)
    first, last = _window(adopted, today) if adopted else (today, today)
    return card_effect(_clerk_days(session, _category(card), first, last), adopted)


def _adopted(session: Session, card: KnowHowCard, used: Adoption) -> dict[str, date]:
    """Return the day on which each clerk first saw the card."""
    tz = store_zone(session, card.store_id or "")
    return {clerk: local_date(moment, tz) for clerk, moment in used.first_seen.items()}


def _window(adopted: Mapping[str, date], today: date) -> tuple[date, date]:
    """Return the first and last day that matter to the effect on those who *adopted* a card."""
    around = timedelta(days=WINDOW_DAYS)
    return min(adopted.values()) - around, min(max(adopted.values()) + around, today)


def _category(card: KnowHowCard) -> str:
    """Return the first level of the card's category, '' where it fits all."""
    return card.category.split(" > ")[0] if card.category else ""


def _clerk_days(session: Session, category: str, first: date, last: date) -> pl.DataFrame:
    """Return clerk_id, day, proposed, accepted and offset of all clerks' days with proposals; '' is all categories."""
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
    if category:
        statement = statement.where(ClerkProposalDay.category == category)
    return query_frame(session, statement, SCHEMA).with_columns(
        day=pl.lit(EPOCH_DAY) + pl.duration(days=pl.col("number")), offset=pl.col("offset_1") / pl.col("proposed")
    )


def _advice(card: KnowHowCard, effect: CardEffect, today: date) -> str:
    if card.state != LIVE or card.live_at is None:
        return "none"
    if effect.verdict == "too_thin" or (today - card.live_at.date()).days < MIN_DAYS:
        return "wait"
    if effect.verdict == "harms" or effect.high < MIN_ODDS_RATIO:
        return "retire"
    return "keep" if effect.verdict == "helps" else "wait"
