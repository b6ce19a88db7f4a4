"""Which analyses are kept for the screens, in which variants, and what of them a screen needs.

A kept document is the report itself, except that long lists are cut to what a screen shows (``trimmed``); all rows go
into the kept file beside it. The figures are those of ``osusume report``: the same functions make them.
"""

from __future__ import annotations

import heapq
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from analytics import (
    action_plans,
    assortment,
    coupon_effect,
    drivers,
    experience,
    journeys,
    lifetime_value,
    one_id,
    risks,
    voice,
)
from journey.errors import NotFound

Document = dict[str, Any]
LISTED = 100
"""Rows of a long list that a screen shows at most."""


def _whole(document: Document) -> Document:
    return document


def _best_customers(document: Document) -> Document:
    best = heapq.nlargest(LISTED, document["customers"], key=lambda row: row["expected_value"] or 0.0)
    return document | {"customers": best, "all_customers": len(document["customers"])}


def _telling_products(document: Document) -> Document:
    """The products at the top of any of the lists that the screen shows."""
    known = [row for row in document["products"] if row["buyers"] >= assortment.FEW_BUYERS]
    lists = ("sales", "regular_share_low", "newcomer_share_low", "loss_if_delisted", "voices")
    chosen = {
        row["product_id"] for name in lists for row in heapq.nlargest(LISTED, known, key=lambda row: row[name] or 0.0)
    }
    kept = [row for row in document["products"] if row["product_id"] in chosen]
    return document | {"products": kept, "all_products": len(document["products"])}


@dataclass(frozen=True)
class Kept:
    """An analysis that is kept: its report, the key of its main list, what differs between variants.

    ``names_persons``: it holds customers' ids or words, and so goes when one of them is erased.
    """

    report: Callable[..., Document]
    rows: str
    variants: tuple[dict[str, Any], ...] = ({},)
    names_persons: bool = False
    trimmed: Callable[[Document], Document] = _whole


KEPT: dict[str, Kept] = {
    "experience": Kept(experience.report, "touchpoints"),
    "drivers": Kept(drivers.report, "drivers", ({}, {"kgi": "heart"}, {"kgi": "nps"})),
    "voice": Kept(voice.report, "themes", names_persons=True),
    "risks": Kept(risks.report, "points"),
    "assortment": Kept(assortment.report, "products", trimmed=_telling_products),
    "ltv": Kept(lifetime_value.report, "customers", names_persons=True, trimmed=_best_customers),
    "journeys": Kept(journeys.report, "funnel"),
    "one_id": Kept(one_id.report, "coverage", names_persons=True),
    "coupons": Kept(coupon_effect.report, "coupons"),
    "actions": Kept(action_plans.report, "actions"),
}


@dataclass(frozen=True)
class Computed:
    """What an analysis gave: the document for the screen, all rows of its main list, and how long it took."""

    document: Document
    rows: list[Document]
    seconds: float


def compute(session: Session, kind: str, parameters: Mapping[str, Any], *, now: datetime, timezone: str) -> Computed:
    """Run one analysis as ``osusume report`` does.

    Raises:
        NotFound: no analysis of that name is kept.
    """
    if kind not in KEPT:
        raise NotFound(f"no analysis {kind!r} is kept", where="kind", what_to_do=f"use one of {', '.join(KEPT)}")
    kept = KEPT[kind]
    offered = {"now": now, "timezone": timezone}
    known = inspect.signature(kept.report).parameters
    begun = time.perf_counter()
    document = kept.report(session, **parameters, **{k: v for k, v in offered.items() if k in known})
    return Computed(kept.trimmed(document), document[kept.rows], time.perf_counter() - begun)
