"""The nightly roll-up of staff success: proposals scored with the case mix and added up per clerk, day and category.

Screens and reports only add these sums. A run adds up the days whose facts changed; everything anew where the case mix
was learnt anew, which happens when the proposals have grown by a quarter or the model is a month old.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, case, cast, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from analytics.case_mix import OFFSETS, CaseMix
from analytics.period import EPOCH_DAY
from analytics.staff_success.focus import campaigns_digest
from analytics.staff_success.handling import add_handling_days, handling_signatures
from analytics.staff_success.proposals import proposal_cells, suggestion_rows, within_days
from analytics.staff_success.standings import write_standings
from analytics.staff_success.success import fit_case_mix
from journey.clerk_roll_ups import CaseMixModel, ClerkProposalDay
from journey.fact_days import MICROSECONDS
from journey.local_days import zone
from journey.outcomes import PROPOSED, Outcome
from journey.rollups import Pending, begin, finish, stretches_of_days
from journey.stores import DEFAULT_TIMEZONE
from journey.suggestions import Suggestion

NAME = "staff"
FACTS = ("suggestions", "outcomes", "confirmations")
GROWTH = 1.25
MODEL_DAYS = timedelta(days=28)
LEARNT_FROM = 200_000  # suggestions; more teach the coefficients nothing that matters beside the clerks' own spread


def roll_up(
    session: Session, *, now: datetime, everything: bool = False, timezone: str = DEFAULT_TIMEZONE
) -> dict[str, Any]:
    """Bring the sums and standings of staff up to date; returns what was done. The caller commits."""
    pending = begin(session, NAME, FACTS, now=now, everything=everything, signatures=handling_signatures())
    mix, learnt = _case_mix(session, now)
    days = None if pending.everything or learnt else _touched(session, pending)
    gone = delete(ClerkProposalDay)
    session.execute(gone if days is None else gone.where(ClerkProposalDay.day.in_(sorted(days))))
    _add_days(session, mix, days)
    campaigns = campaigns_digest(session)
    same = pending.last is not None and (pending.last.memory or {}).get("campaigns") == campaigns
    add_handling_days(session, days if same else None)
    through = _last_day(session, now, timezone)
    spans = write_standings(session, mix, through=through)
    finish(session, pending, now=now, through=through, memory={"campaigns": campaigns})
    return {
        "days": "all" if days is None else len(days),
        "case_mix": "learnt" if learnt else "kept",
        "spans": spans,
    }


def _last_day(session: Session, now: datetime, timezone: str) -> date:
    """Today; where the record ends earlier than yesterday, its last day."""
    today = now.astimezone(zone(None, timezone)).date()
    last = session.scalar(select(func.max(ClerkProposalDay.day)))
    known = EPOCH_DAY + timedelta(days=last) if last is not None else today
    return known if known < today - timedelta(days=1) else today


def case_mix_or_nothing(session: Session) -> CaseMix:
    """The case mix with which the sums are scored; one that knows nothing before the first proposal."""
    model = _newest_model(session)
    return CaseMix.from_json(model.definition) if model else CaseMix.nothing()


def _newest_model(session: Session) -> CaseMixModel | None:
    return session.scalar(select(CaseMixModel).order_by(CaseMixModel.model_id.desc()).limit(1))


def _case_mix(session: Session, now: datetime) -> tuple[CaseMix, bool]:
    """The case mix to score with, and whether it was learnt just now."""
    model = _newest_model(session)
    # What was recorded is what can be learnt from; an estimate of growth needs no joins.
    proposals = session.scalar(select(func.count()).where(Outcome.current, Outcome.result.in_(PROPOSED))) or 0
    fresh = model is not None and proposals <= model.proposals * GROWTH and now - model.fitted_at < MODEL_DAYS
    if model is not None and (fresh or not proposals):
        return CaseMix.from_json(model.definition), False
    if not proposals:
        return CaseMix.nothing(), False
    suggestions = session.scalar(select(func.count()).select_from(Suggestion)) or 0
    cells = proposal_cells(session, one_in=max(1, suggestions // LEARNT_FROM))
    if not cells.height or not cells["proposed"].sum():
        return CaseMix.nothing(), False
    mix = fit_case_mix(cells)
    session.execute(delete(CaseMixModel))
    session.add(CaseMixModel(fitted_at=now, proposals=proposals, definition=mix.as_json()))
    session.flush()
    return mix, True


def _touched(session: Session, pending: Pending) -> set[int]:
    """The local days to add up again: of the facts that changed, and of older suggestions that were tapped since."""
    assert pending.last is not None
    since = pending.last.ran_at - timedelta(minutes=5)  # a request that was under way when the last run read
    late = select(func.distinct(cast(Suggestion.shown_at, BigInteger) // MICROSECONDS)).join(
        Outcome, Outcome.suggestion_id == Suggestion.suggestion_id
    )
    days = set(pending.days)
    days |= set(session.scalars(late.where(or_(Outcome.received_at >= since, Outcome.retracted_at >= since))))
    imported = pending.tokens.get("outcomes", {})
    for first, last in stretches_of_days(imported):
        tapped = cast(Outcome.occurred_at, BigInteger).between(first * MICROSECONDS, (last + 1) * MICROSECONDS - 1)
        days |= set(session.scalars(late.where(tapped)))
    return {near for day in days for near in (day - 1, day, day + 1)}


def _add_days(session: Session, mix: CaseMix, days: Collection[int] | None) -> None:
    """Score and add up the suggestions of these local days (None: of all) into the table."""
    statement, columns = suggestion_rows(session)
    counted = ("service", "identified", "recorded", "proposed", "accepted", "confirmed", "first_purchases")
    chosen = statement.add_columns(
        *(columns[name].label(name) for name in ("clerk_id", "day", "store_id")),
        func.coalesce(columns["category"], "").label("category"),
        *(columns[name].label(name) for name in counted),
        mix.sql(columns).label("logit"),
    )
    chosen = chosen.where(*within_days(columns["day"], Suggestion.shown_at, days))
    # OFFSET 0 keeps the database from working out the logit anew for each of its powers.
    c = chosen.offset(0).subquery().c
    key = [c.clerk_id, c.day, c.store_id, c.category]
    powers: list[Any] = [c.logit]
    for _ in OFFSETS[1:]:
        powers.append(powers[-1] * c.logit)
    sums = select(
        *key,
        func.sum(c.service),
        func.sum(c.identified),
        func.count(),
        *(func.sum(c[name]) for name in counted[2:]),
        *(func.sum(case((c.proposed == 1, power), else_=0.0)) for power in powers),
    ).group_by(*key)
    names = ["services", "identified", "shown", *counted[2:], *OFFSETS]
    session.execute(insert(ClerkProposalDay).from_select(["clerk_id", "day", "store_id", "category", *names], sums))
