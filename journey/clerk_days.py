"""A clerk's own figures and what the week is about; never anybody else's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, distinct, exists, func, select
from sqlalchemy.orm import Session

from journey.outcomes import PROPOSED, Confirmation, Outcome
from journey.products import Product
from journey.suggestions import ClerkTarget, Suggestion, was_shown


@dataclass(frozen=True)
class Figures:
    """Counts of a span: ``proposed`` is the n of ``accepted`` (bought by the clerk's tap) and ``confirmed`` (by the
    till); the rate is left to the screen, which shows none for small n.
    """

    customers: int
    shown: int
    proposed: int
    accepted: int
    considering: int
    declined: int
    confirmed: int


@dataclass(frozen=True)
class OwnOutcome:
    """One of the clerk's own taps."""

    outcome_id: str
    suggestion_id: str
    product_id: str
    product_name: str | None
    result: str
    occurred_at: datetime
    confirmed: bool


@dataclass(frozen=True)
class Focus:
    """Focus merchandise of a campaign that runs; a product, or a whole category."""

    campaign_id: str
    name: str
    product_id: str | None
    product_name: str | None
    category: str | None
    ends_on: date


def figures(session: Session, clerk_id: str, since: datetime, until: datetime) -> Figures:
    """The clerk's figures from ``since`` up to before ``until``, by the time of the tap or of the showing."""
    shown, customers = session.execute(
        select(func.count(), func.count(distinct(Suggestion.customer_id))).where(
            Suggestion.clerk_id == clerk_id,
            Suggestion.shown_at >= since,
            Suggestion.shown_at < until,
            was_shown(),
        )
    ).one()
    counts = session.execute(
        _taps(clerk_id, since, until).with_only_columns(Outcome.result, func.count()).group_by(Outcome.result)
    )
    by_result: dict[str, int] = dict(counts.all())
    confirmed = session.scalar(
        _taps(clerk_id, since, until)
        .join(Confirmation, Confirmation.suggestion_id == Outcome.suggestion_id)
        .where(Outcome.result.in_(PROPOSED))
        .with_only_columns(func.count())
    )
    return Figures(
        customers=customers,
        shown=shown,
        proposed=sum(by_result.get(result, 0) for result in PROPOSED),
        accepted=by_result.get("bought", 0),
        considering=by_result.get("considering", 0),
        declined=by_result.get("declined", 0),
        confirmed=confirmed or 0,
    )


def own_outcomes(
    session: Session, clerk_id: str, since: datetime, until: datetime, *, limit: int = 50
) -> list[OwnOutcome]:
    """The clerk's current taps of a span, the latest first."""
    at = _moment()
    rows = session.execute(
        _taps(clerk_id, since, until)
        .join(Suggestion, Suggestion.suggestion_id == Outcome.suggestion_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .outerjoin(Confirmation, Confirmation.suggestion_id == Outcome.suggestion_id)
        .with_only_columns(
            Outcome.outcome_id,
            Outcome.suggestion_id,
            Suggestion.product_id,
            Product.name,
            Outcome.result,
            at,
            Confirmation.receipt_id.is_not(None),
        )
        .order_by(at.desc(), Outcome.outcome_id)
        .limit(limit)
    )
    return [
        OwnOutcome(outcome_id, suggestion_id, product_id, name, result, moment, bool(confirmed))
        for outcome_id, suggestion_id, product_id, name, result, moment, confirmed in rows
    ]


def confirmed_without_tap(session: Session, clerk_id: str, since: datetime, until: datetime) -> list[OwnOutcome]:
    """What the clerk showed in a span, nobody tapped, and the till sold: the latest first."""
    rows = session.execute(
        select(Suggestion.suggestion_id, Suggestion.product_id, Product.name, Confirmation.sold_at)
        .join(Confirmation, Confirmation.suggestion_id == Suggestion.suggestion_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(
            Suggestion.clerk_id == clerk_id,
            Suggestion.shown_at >= since,
            Suggestion.shown_at < until,
            ~exists().where(Outcome.suggestion_id == Suggestion.suggestion_id, Outcome.current),
        )
        .order_by(Confirmation.sold_at.desc(), Suggestion.suggestion_id)
    )
    return [OwnOutcome(f"till:{one}", one, product_id, name, "bought", at, True) for one, product_id, name, at in rows]


def focus_merchandise(session: Session, store_id: str, first: date, last: date) -> list[Focus]:
    """Campaigns that run in the store on any day from ``first`` to ``last``, those that end first first."""
    rows = session.execute(
        select(ClerkTarget, Product.name)
        .outerjoin(Product, Product.product_id == ClerkTarget.product_id)
        .where(ClerkTarget.starts_on <= last, ClerkTarget.ends_on >= first)
        .order_by(ClerkTarget.ends_on, ClerkTarget.campaign_id)
    )
    return [
        Focus(target.campaign_id, target.name, target.product_id, name, target.category, target.ends_on)
        for target, name in rows
        if not target.stores or store_id in target.stores.split("|")
    ]


def _moment() -> ColumnElement[datetime]:
    return func.coalesce(Outcome.ordered_at, Outcome.occurred_at)


def _taps(clerk_id: str, since: datetime, until: datetime) -> Select[Outcome]:
    return select(Outcome).where(Outcome.clerk_id == clerk_id, Outcome.current, _moment() >= since, _moment() < until)
