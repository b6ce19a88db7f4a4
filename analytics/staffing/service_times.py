"""How long serving takes, how many of those who come want it, and how long they wait before they give up.

A service is what the tablet saw: from the visit's attention to its end, else from the suggestions shown to the last
outcome recorded for them. Its distribution is measured, not assumed; Erlang's formulas only hold where the coefficient
of variation is near 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import BigInteger, Float, case, cast, exists, func, select, type_coerce
from sqlalchemy.orm import Session

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import DAY_MICROS, Period
from journey.customers import Customer
from journey.outcomes import PROPOSED, Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.suggestions import Suggestion
from journey.visits import Visit

DEFAULT_SECONDS = 180.0
DEFAULT_PATIENCE = 300.0
LONGEST = 45 * 60  # a later tap is a correction, not a service
CHAIN_WEIGHT = 20.0  # services of the chain's mean that a store's own mean is blended with
MIN_SERVICES = 30
BEFORE_PAYING, AFTER_PAYING = 4 * 3_600_000_000, 900_000_000  # microseconds; clocks of till and tablet differ
LAW_DAYS = 91  # services of the last quarter: how long serving takes changes with goods and people


@dataclass(frozen=True)
class ServiceLaw:
    """One store's service: mean *seconds*, squared coefficient of variation, and on how many services they rest.

    *share* of those who enter are served; *patience* is the mean seconds until a waiting customer gives up.
    *proposals* per service and *accepted* of those, with the mean *price* of what was accepted, price a lost service.
    """

    seconds: float = DEFAULT_SECONDS
    cv2: float = 1.0
    services: int = 0
    share: float = 1.0
    patience: float = DEFAULT_PATIENCE
    patience_known: bool = False
    proposals: float = 0.0
    accepted: float = 0.0
    price: float = 0.0

    @property
    def relative_error(self) -> float:
        """Return the standard error of the mean relative to it; a quarter where nothing was measured."""
        return max(0.02, (self.cv2 / self.services) ** 0.5) if self.services >= 5 else 0.25


def tablet_services(session: Session, period: Period) -> pl.DataFrame:
    """Return per store: encounters, timed, seconds and squares (sums), proposals, accepted and price (sum)."""
    shown = cast(Suggestion.shown_at, BigInteger)
    tapped = cast(Outcome.occurred_at, BigInteger)
    encounter = (
        select(
            Suggestion.store_id,
            (cast(func.max(tapped) - func.min(shown), Float) / 1_000_000.0).label("seconds"),
            func.sum(case((Outcome.result.in_(PROPOSED), 1), else_=0)).label("proposals"),
            func.sum(case((Outcome.result == "bought", 1), else_=0)).label("accepted"),
            func.sum(case((Outcome.result == "bought", cast(Product.price, Float) / 10_000.0))).label("price"),
        )
        .outerjoin(
            Outcome,
            (Outcome.suggestion_id == Suggestion.suggestion_id) & Outcome.current & Outcome.retracted_at.is_(None),
        )
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(period.covers(Suggestion.shown_at))
        .group_by(Suggestion.store_id, Suggestion.customer_id, Suggestion.set_id, Suggestion.shown_at)
        .subquery()
    )
    e = encounter.c
    timed = (e.seconds >= 5.0) & (e.seconds < float(LONGEST))
    statement = select(
        e.store_id,
        func.count(),
        func.sum(case((timed, 1), else_=0)),
        func.sum(case((timed, e.seconds), else_=0.0)),
        func.sum(case((timed, e.seconds * e.seconds), else_=0.0)),
        func.sum(e.proposals),
        func.sum(e.accepted),
        func.sum(e.price),
    ).group_by(e.store_id)
    whole = dict.fromkeys(("encounters", "timed"), WHOLE)
    sums = dict.fromkeys(("seconds", "squares"), REAL)
    counts = dict.fromkeys(("proposals", "accepted"), WHOLE)
    return query_frame(session, statement, {"store_id": TEXT, **whole, **sums, **counts, "price": REAL})


def visit_services(session: Session, period: Period) -> pl.DataFrame:
    """Return per store from visits: timed, seconds, squares (of services), gave_up (unserved) and waited (seconds)."""
    arrived, attended, ended = (
        cast(column, BigInteger) for column in (Visit.arrived_at, Visit.attended_at, Visit.ended_at)
    )
    seconds = cast(ended - attended, Float) / 1_000_000.0
    waited = cast(func.coalesce(attended, ended) - arrived, Float) / 1_000_000.0
    timed = (seconds >= 5.0) & (seconds < float(LONGEST))
    gone = Visit.attended_at.is_(None) & Visit.ended_at.is_not(None)
    statement = (
        select(
            Visit.store_id,
            func.sum(case((timed, 1), else_=0)),
            func.sum(case((timed, seconds), else_=0.0)),
            func.sum(case((timed, seconds * seconds), else_=0.0)),
            func.sum(case((gone, 1), else_=0)),
            func.sum(case((waited.is_not(None) & (waited >= 0.0) & (waited < float(LONGEST)), waited), else_=0.0)),
        )
        .where(period.covers(Visit.arrived_at))
        .group_by(Visit.store_id)
    )
    schema = {"store_id": TEXT, "timed": WHOLE, "seconds": REAL, "squares": REAL, "gave_up": WHOLE, "waited": REAL}
    return query_frame(session, statement, schema)


def served_buyers(session: Session, period: Period) -> pl.DataFrame:
    """Return per store: buyers (receipts of customers who may be shown something), and served: those of them who were
    opened on a tablet of the store shortly before they paid.
    """
    line, kept = PosLine, Customer
    sold = cast(line.sold_at, BigInteger)
    receipt = (
        select(line.store_id, line.customer_id, func.min(sold).label("sold_at"))
        .join(kept, kept.customer_id == line.customer_id)
        .where(
            period.covers(line.sold_at),
            line.quantity > 0,
            func.coalesce(line.channel, "store") == "store",
            func.coalesce(kept.consent_profiling, True),
        )
        .group_by(line.store_id, line.customer_id, line.receipt_id)
        .subquery()
    )
    r = receipt.c
    shown = type_coerce(Suggestion.shown_at, BigInteger)
    opened = exists().where(
        Suggestion.customer_id == r.customer_id,
        Suggestion.store_id.concat("") == r.store_id,  # so that it is found by customer: a store has shown thousands
        shown >= r.sold_at - BEFORE_PAYING,
        shown <= r.sold_at + AFTER_PAYING,
    )
    statement = select(r.store_id, func.count(), func.sum(case((opened, 1), else_=0))).group_by(r.store_id)
    return query_frame(session, statement, {"store_id": TEXT, "buyers": WHOLE, "served": WHOLE})


def service_laws(session: Session, arrivals: pl.DataFrame) -> dict[str, ServiceLaw]:
    """Return the law of every store in *arrivals* (see `staffing.arrivals`), and under "" that of the chain.

    Learnt from the last quarter before the last arrival.
    """
    period = Period(None, None)
    if not arrivals.is_empty():
        period = last_quarter(int(arrivals.select(pl.col("slot_at").max()).item()))
        arrivals = arrivals.filter(pl.col("slot_at") >= period.start)
    tablet, visits = tablet_services(session, period), visit_services(session, period)
    buyers = served_buyers(session, period)
    people = arrivals.group_by("store_id").agg(pl.col("entered", "receipts", "identified").sum())
    return laws_from(tablet, visits, people, buyers)


def last_quarter(slot_at: int) -> Period:
    """Return the 91 days of UTC up to the day of *slot_at* (microseconds), open to the end."""
    return Period((slot_at // DAY_MICROS - LAW_DAYS) * DAY_MICROS, None)


def laws_from(
    tablet: pl.DataFrame, visits: pl.DataFrame, people: pl.DataFrame, buyers: pl.DataFrame | None = None
) -> dict[str, ServiceLaw]:
    """Return the laws from the sums of tablet, visits, people and buyers per store; see `service_laws`.

    Where at least MIN_SERVICES visits are timed, they are believed rather than the taps. The share served is that of
    buyers known by name who were opened on a tablet: who else came leaves no trace of being served. Where no till
    tells of buyers it is the encounters over those who entered.
    """
    sums = {"t": tablet, "v": visits, "p": people} | ({"b": buyers} if buyers is not None else {})
    rows = {name: {r["store_id"]: r for r in frame.to_dicts()} for name, frame in sums.items()}
    chain = {name: {c: f[c].sum() for c in f.columns if c != "store_id"} for name, f in sums.items()}
    base = _law(chain["t"], chain["v"], chain["p"], chain.get("b", {}), ServiceLaw())
    laws = {}
    for s in people["store_id"].to_list():
        tablet_, visits_, people_, buyers_ = (rows.get(name, {}).get(s, {}) for name in ("t", "v", "p", "b"))
        laws[s] = _law(tablet_, visits_, people_, buyers_, base)
    return laws | {"": base}


def law_facts(store: str, law: ServiceLaw) -> dict[str, Any]:
    """Return the law of a store as the report shows it."""
    return {
        "store_id": store,
        "service_seconds": law.seconds,
        "service_cv": law.cv2**0.5,
        "services": law.services,
        "share_served": law.share,
        "patience_seconds": law.patience,
        "patience_known": law.patience_known,
    }


def _law(
    tablet: dict[str, Any], visits: dict[str, Any], people: dict[str, Any], buyers: dict[str, Any], prior: ServiceLaw
) -> ServiceLaw:
    timed = visits if (visits.get("timed") or 0) >= MIN_SERVICES else tablet
    n = int(timed.get("timed") or 0)
    total, squares = timed.get("seconds") or 0.0, timed.get("squares") or 0.0
    seconds = (total + CHAIN_WEIGHT * prior.seconds) / (n + CHAIN_WEIGHT)
    own_cv2 = max(squares / n / (total / n) ** 2 - 1, 0.0) if n > 1 else prior.cv2
    cv2 = (n * own_cv2 + CHAIN_WEIGHT * prior.cv2) / (n + CHAIN_WEIGHT)
    encounters = tablet.get("encounters") or 0
    entered, receipts = people.get("entered") or 0.0, people.get("receipts") or 0
    known = (people.get("identified") or 0) / receipts if receipts else 1.0
    share = prior.share
    if (buyers.get("buyers") or 0) >= MIN_SERVICES and buyers.get("served"):
        share = buyers["served"] / buyers["buyers"]
    elif encounters >= MIN_SERVICES and entered > 0:
        share = min(1.0, encounters / (entered * max(known, 0.05)))
    gave_up, waited = visits.get("gave_up") or 0, visits.get("waited") or 0.0
    # Exponential patience, censored by being served: all seconds waited over those who left (maximum likelihood).
    patience_known = gave_up >= 10 and waited > 0
    accepted, price = tablet.get("accepted") or 0, tablet.get("price") or 0.0
    proposals = tablet.get("proposals") or 0
    return ServiceLaw(
        seconds=seconds,
        cv2=cv2,
        services=n,
        share=share,
        patience=waited / gave_up if patience_known else prior.patience,
        patience_known=patience_known or prior.patience_known,
        proposals=proposals / encounters if encounters else prior.proposals,
        accepted=accepted / proposals if proposals else prior.accepted,
        price=price / accepted if accepted and price else prior.price,
    )
