"""The staffing report: past quarter hours judged, the coming two weeks forecast, and what to do about them.

The screens read roll-ups (`analytics.staffing.rollup`). Where these are up to date with the record the report reads
them too, else it computes what they would hold: one way or the other the figures are the same.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.forecast import backtest, country_of, fit_arrivals
from analytics.forecast.model import slot_matrix
from analytics.queues import DEFAULT_TARGET, ServiceTarget
from analytics.staffing import rolled_up
from analytics.staffing.arrivals import SLOT_MINUTES, arrivals
from analytics.staffing.assessment import accuracy_facts, days_ahead, forecast_slots, judged_slots, local_slots
from analytics.staffing.conversion import conversion_by_ratio
from analytics.staffing.facts import up_to_date
from analytics.staffing.recurring import recurring
from analytics.staffing.roster import on_floor, shifts
from analytics.staffing.service_times import ServiceLaw, law_facts, service_laws
from journey.errors import NotEnoughData
from journey.local_days import zone
from journey.stores import Store

HISTORY_DAYS = 400
FORECAST_DAYS = 14
# what a slot and a coming slot look like in the report
SLOT_COLUMNS = (
    "store_id", "starts_at", "minutes", "arrivals", "service_seconds", "rostered", "needed", "p_short", "judgement",
    "lost_proposals_low", "lost_proposals_high", "lost_sales_low", "lost_sales_high", "p_over", "expected_arrivals",
    "share_served", "receipts",
)  # fmt: skip
FORECAST_COLUMNS = ("store_id", "starts_at", "minutes", "arrivals", "low", "high", "needed")


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | None = None,
    end: date | None = None,
    target: ServiceTarget = DEFAULT_TARGET,
    forecast_days: int = FORECAST_DAYS,
    share_served: float | None = None,
) -> dict[str, Any]:
    """Return the staffing report: slots, forecast, and beside them service, accuracy, conversion and plan.

    *start* and *end* choose the slots; what is usual for a slot is learnt from up to 400 days before *end*. `arrivals`
    are people entering; `share_served` of them take `service_seconds` of a clerk each, and `needed` clerks attend
    80 % of those within 60 s (*target*), at the rate `expected_arrivals` that this count and the usual suggest. The
    share is that of buyers known by name who were opened on a tablet, so it is too low where many are served without
    it; a store that knows better gives *share_served*. The forecast covers the days after the last one known (or after
    *end*). A store without shifts has no roster to judge: `rostered` is null and the judgement «unknown».
    """
    usual = target == DEFAULT_TARGET and forecast_days == FORECAST_DAYS and share_served is None
    if usual and up_to_date(session):
        whole = rolled_up.report_parts(session, store)
        if end is None or all(end >= last for last in whole.last_days):
            return _document(
                whole.slots, whole.within(FORECAST_DAYS), whole.service, whole.accuracy, target, start, end
            )
    return computed_report(
        session, store=store, start=start, end=end, target=target, forecast_days=forecast_days,
        share_served=share_served,
    )  # fmt: skip


def computed_report(
    session: Session,
    *,
    store: str | None = None,
    start: date | None = None,
    end: date | None = None,
    target: ServiceTarget = DEFAULT_TARGET,
    forecast_days: int = FORECAST_DAYS,
    share_served: float | None = None,
) -> dict[str, Any]:
    """Return the report computed from the record alone; see `report`."""
    history = end - timedelta(days=HISTORY_DAYS) if end is not None else None
    came = arrivals(session, start=history, end=end)
    floor = on_floor(shifts(session, store=store, start=history, end=end))
    laws = service_laws(session, came)
    zones = dict(session.execute(select(Store.store_id, Store.timezone)).all())
    slots, forecast, accuracy, service = [], [], [], []
    for name in came["store_id"].unique(maintain_order=True):
        if store not in (None, name):
            continue
        tz = zone(zones.get(name))
        mine = came.filter(pl.col("store_id") == name)
        frame = local_slots(mine, floor.filter(pl.col("store_id") == name), str(tz))
        law = laws[name] if share_served is None else replace(laws[name], share=share_served)
        service.append(law_facts(name, law))
        days, matrix = slot_matrix(frame)
        if not days or np.nansum(matrix) <= 0:
            continue
        try:
            model = fit_arrivals(days, matrix, country=country_of(str(tz)))
        except NotEnoughData:  # it sells something now and then: nothing can be judged there
            continue
        slots.append(with_law(judged_slots(frame, model, law, target), law))
        forecast.append(forecast_slots(name, days[-1], model, law, target, tz, days_ahead(matrix, forecast_days)))
        if (checked := backtest(days, matrix, country=country_of(str(tz)))) is not None:
            accuracy.append(accuracy_facts(name, checked))
    judged = pl.concat(slots) if slots else pl.DataFrame()
    return _document(judged, pl.concat(forecast) if forecast else pl.DataFrame(), service, accuracy, target, start, end)


def with_law(judged: pl.DataFrame, law: ServiceLaw) -> pl.DataFrame:
    """Return *judged* with the law of service that stands behind it."""
    return judged.with_columns(service_seconds=pl.lit(law.seconds), share_served=pl.lit(law.share))


def _document(
    judged: pl.DataFrame,
    forecast: pl.DataFrame,
    service: list[dict[str, Any]],
    accuracy: list[dict[str, Any]],
    target: ServiceTarget,
    start: date | None,
    end: date | None,
) -> dict[str, Any]:
    if not judged.is_empty():
        judged = judged.filter(
            pl.col("day").is_between(start or date.min, end or date.max)
        ).with_columns(minutes=pl.lit(SLOT_MINUTES))  # fmt: skip
    if not forecast.is_empty():
        forecast = forecast.with_columns(minutes=pl.lit(SLOT_MINUTES)).select(FORECAST_COLUMNS)
    shown = judged.rename({"expected": "expected_arrivals"}).select(SLOT_COLUMNS) if judged.width else judged
    return {
        "slots": shown.to_dicts(),
        "forecast": forecast.to_dicts(),
        "service": service,
        "accuracy": accuracy,
        "conversion": conversion_by_ratio(judged) if not judged.is_empty() else [],
        "plan": recurring(judged) if not judged.is_empty() else [],
        "target": {"share": target.share, "within_seconds": target.within},
    }
