"""Services as the tablet saw them: what was proposed first, when, how many, in which order, with which reason.

A service (encounter) is a set of suggestions shown to one clerk for one customer at one moment. Practices are read off
it in the database; what leaves it are cells of like proposals with counts, and one accepted proposal as an example.
"""

from __future__ import annotations

from datetime import date

import polars as pl
from sqlalchemy import BigInteger, Float, Integer, and_, case, cast, exists, func, select
from sqlalchemy.orm import Session, aliased

from analytics.frames import REAL, TEXT, WHOLE, query_frame
from analytics.period import Period
from analytics.staff_success.proposals import BAND_HOURS, local_hours, top_category
from journey.customers import Customer
from journey.outcomes import PROPOSED, Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.suggestions import Suggestion

LISTENED_MICROS = 60_000_000
FEW = 2
LONGEST_CODE = 24  # a reason longer than that is a sentence, not a kind of reason

CELL_SCHEMA = {
    "clerk_id": TEXT,
    "store_id": TEXT,
    "band": WHOLE,
    "tier": TEXT,
    "category": TEXT,
    "rank": WHOLE,
    "reason": TEXT,
    "familiar": WHOLE,
    "listen_first": WHOLE,
    "few": WHOLE,
    "familiar_first": WHOLE,
    "follows_rank": WHOLE,
    "bucket": WHOLE,
    "probability": REAL,
    "proposed": WHOLE,
    "accepted": WHOLE,
    "example": TEXT,
}


def practice_cells(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> pl.DataFrame:
    """Return cells of proposals (columns of CELL_SCHEMA) with the practices of their service as 0/1.

    `listen_first`: the first proposal came 60 s or more after the suggestions were opened. `few`: at most two proposals
    in the service. `familiar_first`: something the customer had bought before was proposed before this new product.
    `follows_rank`: proposals went in the order of the screen. `familiar`: bought before (part of the case mix).
    """
    earlier = aliased(PosLine)
    familiar = exists().where(
        earlier.customer_id == Suggestion.customer_id,
        earlier.product_id == Suggestion.product_id,
        earlier.sold_at < Suggestion.shown_at,
        earlier.quantity > 0,
    )
    hour = local_hours(session, Suggestion.shown_at, Suggestion.store_id)
    chance = func.coalesce(
        Suggestion.probability, case(((Suggestion.score > 0) & (Suggestion.score < 1), Suggestion.score))
    )
    code = case((func.length(Suggestion.reason) <= LONGEST_CODE, Suggestion.reason))
    service = (Suggestion.store_id, Suggestion.customer_id, Suggestion.set_id, Suggestion.shown_at, Outcome.clerk_id)
    tapped = cast(Outcome.occurred_at, BigInteger)
    in_order = (tapped, Suggestion.rank, Suggestion.suggestion_id)
    proposals = (
        select(
            Outcome.clerk_id,
            Suggestion.store_id,
            ((hour % 24) // BAND_HOURS).label("band"),
            Customer.tier,
            top_category(session).label("category"),
            Suggestion.rank,
            func.coalesce(Suggestion.evidence["ground"].as_string(), code).label("reason"),
            case((familiar, 1), else_=0).label("familiar"),
            cast(func.round(chance * 20), Integer).label("bucket"),
            cast(chance, Float).label("chance"),
            case((Outcome.result == "bought", 1), else_=0).label("accepted"),
            Suggestion.suggestion_id,
            (func.min(tapped).over(partition_by=service) - cast(Suggestion.shown_at, BigInteger)).label("began"),
            func.count().over(partition_by=service).label("number"),
            func.row_number().over(partition_by=service, order_by=in_order).label("turn"),
            func.row_number()
            .over(partition_by=service, order_by=(Suggestion.rank, Suggestion.suggestion_id))
            .label("place"),
            func.dense_rank().over(order_by=service).label("service"),
        )
        .select_from(Suggestion)
        .join(
            Outcome,
            and_(Outcome.suggestion_id == Suggestion.suggestion_id, Outcome.current, Outcome.retracted_at.is_(None)),
        )
        .outerjoin(Customer, Customer.customer_id == Suggestion.customer_id)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(Period.of(start, end).covers(Suggestion.shown_at), Outcome.result.in_(PROPOSED))
    )
    if store is not None:
        proposals = proposals.where(Suggestion.store_id == store)
    p = proposals.cte("proposals").c
    opened = func.max(case((p.turn == 1, p.familiar), else_=0)).over(partition_by=p.service)
    ordered = func.min(case((p.turn == p.place, 1), else_=0)).over(partition_by=p.service)
    marked = select(
        *(p[name] for name in ("clerk_id", "store_id", "band", "tier", "category", "rank", "reason", "familiar")),
        case((p.began >= LISTENED_MICROS, 1), else_=0).label("listen_first"),
        case((p.number <= FEW, 1), else_=0).label("few"),
        case((p.familiar == 1, 0), else_=opened).label("familiar_first"),
        case((p.number > 1, ordered), else_=0).label("follows_rank"),
        p.bucket,
        p.chance,
        p.accepted,
        p.suggestion_id,
    ).subquery()
    m = marked.c
    key = [m[name] for name in CELL_SCHEMA if name not in ("probability", "proposed", "accepted", "example")]
    statement = select(
        *key,
        func.avg(m.chance),
        func.count(),
        func.sum(m.accepted),
        func.min(case((m.accepted == 1, m.suggestion_id))),
    ).group_by(*key)
    return query_frame(session, statement, CELL_SCHEMA)
