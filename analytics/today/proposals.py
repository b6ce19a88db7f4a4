"""Suggestions that do not reach the customer: not recorded, or focus merchandise that is passed over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from analytics.rates import difference_of_rates, wilson
from analytics.today.finding import Finding
from journey.clerk_days import focus_merchandise
from journey.clerk_roll_ups import ClerkProposalDay
from journey.local_days import day_bounds
from journey.outcomes import PROPOSED, Outcome
from journey.products import Product
from journey.rollups import last_run
from journey.stores import clerk_names
from journey.suggestions import Suggestion, was_shown

BEFORE = timedelta(days=28)
FEWEST = 20  # suggestions in a week, below which a share says nothing


def unrecorded(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Suggestions of the last week without any outcome, more than in the four weeks before beyond chance.

    By the sums per clerk and day that the team's page reads. Customers are the services whose suggestions were left
    open beyond the usual share, at the low end of the interval.
    """
    run = last_run(session, "staff")
    if run is None:
        return None
    until = (min(today - timedelta(days=1), run.through) - date(1970, 1, 1)).days
    this, before = _recorded(session, store, until - 6, until), _recorded(session, store, until - 34, until - 7)
    shown, open_ = sum(one.shown for one in this), sum(one.open for one in this)
    shown_before, open_before = sum(one.shown for one in before), sum(one.open for one in before)
    if shown < FEWEST or shown_before < FEWEST:
        return None
    more = difference_of_rates(open_, shown, open_before, shown_before)
    if more.low <= 0:
        return None
    low, high = (float(end[0]) for end in wilson(open_, shown))
    names = clerk_names(session, store_id=store)
    rows = [
        {"clerk": names.get(one.clerk, one.clerk), "shown": one.shown, "open": one.open}
        for one in sorted(this, key=lambda one: names.get(one.clerk, one.clerk))
    ]
    facts = {"shown": shown, "open": open_, "rate": open_ / shown, "low": low, "high": high,
             "before": open_before / shown_before}  # fmt: skip
    customers = more.low * sum(one.services for one in this)
    return Finding("unrecorded", customers, shown, facts, ("clerk", "shown", "open"), rows)


def focus(session: Session, store: str, tz: ZoneInfo, today: date, now: datetime) -> Finding | None:
    """Focus merchandise of a running campaign that is put to customers more rarely than other suggestions."""
    worst: Finding | None = None
    for campaign in focus_merchandise(session, store, today, today):
        if campaign.product_id:
            wanted = Suggestion.product_id == campaign.product_id
        elif campaign.category:
            below = Product.category.startswith(f"{campaign.category} > ", autoescape=True)
            wanted = or_(Product.category == campaign.category, below)
        else:
            continue
        until = day_bounds(today, tz)[0]
        proposed = case((Outcome.result.in_(PROPOSED), 1), else_=0)
        statement = (
            select(case((wanted, 1), else_=0), func.count(), func.sum(proposed),
                   func.sum(case((Outcome.result == "bought", 1), else_=0)))
            .select_from(Suggestion)
            .outerjoin(Product, Product.product_id == Suggestion.product_id)
            .outerjoin(Outcome, (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current)
            .where(Suggestion.store_id == store, Suggestion.shown_at >= until - BEFORE, Suggestion.shown_at < until)
            .where(was_shown())
            .group_by(case((wanted, 1), else_=0))
        )  # fmt: skip
        sums = {int(mine): (int(n), int(k or 0), int(b or 0)) for mine, n, k, b in session.execute(statement)}
        (n, k, bought), (other_n, other_k, _) = sums.get(1, (0, 0, 0)), sums.get(0, (0, 0, 0))
        if n < FEWEST or other_n < FEWEST:
            continue
        less = difference_of_rates(other_k, other_n, k, n)
        if less.low <= 0:
            continue
        low, high = (float(end[0]) for end in wilson(k, n))
        facts = {"name": campaign.name, "shown": n, "rate": k / n, "low": low, "high": high, "bought": bought,
                 "other": other_k / other_n, "ends_on": campaign.ends_on}  # fmt: skip
        found = Finding("focus", less.low * n / 4, n, facts, ("group", "shown", "proposed"),
                        [{"group": campaign.name, "shown": n, "proposed": k},
                         {"group": "–", "shown": other_n, "proposed": other_k}])  # fmt: skip
        if worst is None or found.customers > worst.customers:
            worst = found
    return worst


@dataclass(frozen=True)
class _Recorded:
    """Of one clerk: suggestions *shown* in so many *services*, and those left *open*, without an outcome."""

    clerk: str
    services: int
    shown: int
    open: int


def _recorded(session: Session, store: str, first: int, last: int) -> list[_Recorded]:
    """Return what was recorded from day *first* to *last* (since 1970)."""
    sums = ClerkProposalDay
    rows = session.execute(
        select(sums.clerk_id, func.sum(sums.services), func.sum(sums.shown), func.sum(sums.recorded))
        .where(sums.store_id == store, sums.day.between(first, last))
        .group_by(sums.clerk_id)
    )
    return [
        _Recorded(clerk, int(services), int(shown), int(shown) - int(done)) for clerk, services, shown, done in rows
    ]
