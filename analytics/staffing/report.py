"""The staffing report: past quarter hours judged, the coming two weeks forecast, and what to do about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.forecast import ArrivalModel, backtest, fit_arrivals
from analytics.forecast.model import slot_matrix
from analytics.queues import DEFAULT_TARGET, ServiceTarget, servable_rates
from analytics.rates import Floats
from analytics.staffing.arrivals import SLOT_MINUTES, arrivals
from analytics.staffing.conversion import conversion_by_ratio
from analytics.staffing.judgement import NEGLIGIBLE, judge, rate_posterior
from analytics.staffing.recurring import recurring
from analytics.staffing.roster import on_floor, shifts
from analytics.staffing.service_times import ServiceLaw, service_laws
from journey.local_days import zone
from journey.stores import Store

HISTORY_DAYS = 400
FORECAST_DAYS = 14


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
    share is estimated from services on record, so it is too low where many are served without the tablet; a store that
    knows better gives *share_served*. The forecast covers the days after the last one known (or after *end*).
    A store without shifts has no roster to judge: `rostered` is null and the judgement «unknown».
    """
    history = end - timedelta(days=HISTORY_DAYS) if end is not None else None
    came = arrivals(session, store=store, start=history, end=end)
    floor = on_floor(shifts(session, store=store, start=history, end=end))
    laws = service_laws(session, came, start=history, end=end)
    zones = dict(session.execute(select(Store.store_id, Store.timezone)).all())
    slots, forecast, accuracy, service = [], [], [], []
    for name in came["store_id"].unique(maintain_order=True):
        mine = came.filter(pl.col("store_id") == name)
        frame = local_slots(mine, floor.filter(pl.col("store_id") == name), str(zone(zones.get(name))))
        law = laws[name] if share_served is None else replace(laws[name], share=share_served)
        service.append(_law_facts(name, law))
        days, matrix = slot_matrix(frame.filter(pl.col("arrivals").is_not_null()))
        if not days or np.nansum(matrix) <= 0:
            continue
        model = fit_arrivals(days, matrix)
        slots.append(judged_slots(frame, model, law, target))
        forecast.append(forecast_slots(name, days[-1], model, law, target, frame, forecast_days))
        if (checked := backtest(days, matrix)) is not None:
            accuracy.append({"store_id": name, "n": checked.n, "wape": checked.wape, "naive_wape": checked.naive_wape,
                             "pinball": {str(p): v for p, v in checked.pinball.items()},
                             "coverage": checked.coverage})  # fmt: skip
    judged = pl.concat(slots) if slots else None
    if judged is not None and start is not None:
        judged = judged.filter(pl.col("day") >= start)
    return {
        "slots": _rows(judged),
        "forecast": pl.concat(forecast).to_dicts() if forecast else [],
        "service": service,
        "accuracy": accuracy,
        "conversion": conversion_by_ratio(judged) if judged is not None else [],
        "plan": recurring(judged) if judged is not None else [],
        "target": {"share": target.share, "within_seconds": target.within},
    }


def local_slots(came: pl.DataFrame, floor: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """Return the slots of one store with arrivals, receipts, rostered, and day, slot, starts_at on its own clock.

    Where arrivals are read off receipts, a slot with clerks and without receipts is one without arrivals; a counter
    that says nothing says nothing. `rostered` is null where the store has no shifts at all.
    """
    inferred = came["source"][0] == "receipts"
    both = came.join(floor.drop("store_id"), on="slot_at", how="full" if inferred else "left", coalesce=True).sort(
        "slot_at"
    )
    local = pl.from_epoch("slot_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(timezone)
    return both.with_columns(
        store_id=pl.lit(came["store_id"][0]),
        arrivals=pl.col("entered").fill_null(0.0),
        receipts=pl.col("receipts").fill_null(0),
        rostered=pl.col("rostered").fill_null(0.0) if not floor.is_empty() else pl.lit(None, dtype=pl.Float64),
        local=local,
    ).with_columns(
        day=pl.col("local").dt.date(),
        slot=(pl.col("local").dt.hour().cast(pl.Int64) * 4 + pl.col("local").dt.minute() // SLOT_MINUTES),
        starts_at=pl.col("local").dt.strftime("%Y-%m-%dT%H:%M:%S%:z"),
    ).drop("local")  # fmt: skip


def judged_slots(frame: pl.DataFrame, model: ArrivalModel, law: ServiceLaw, target: ServiceTarget) -> pl.DataFrame:
    """Return *frame* with needed, p_short, p_over, judgement and what was lost."""
    days, _ = slot_matrix(frame)
    expected = model.expect(days)
    row = (frame["day"] - days[0]).dt.total_days().to_numpy()
    usual = expected[row, frame["slot"].to_numpy()]
    shape, rate = rate_posterior(frame["arrivals"].to_numpy(), usual, model.strength(usual))
    rostered = frame["rostered"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    floor = judge(shape, rate, rostered, law, minutes=SLOT_MINUTES, target=target)
    return frame.select("store_id", "day", "slot", "starts_at", "arrivals", "receipts", "rostered").with_columns(
        minutes=pl.lit(SLOT_MINUTES),
        service_seconds=pl.lit(law.seconds),
        share_served=pl.lit(law.share),
        expected_arrivals=pl.Series(shape / rate),
        needed=pl.Series(floor.needed),
        p_short=_nullable(floor.p_short),
        p_over=_nullable(floor.p_over),
        judgement=pl.Series(list(floor.judgement), dtype=pl.String),
        lost_proposals_low=_nullable(floor.lost_low * law.proposals),
        lost_proposals_high=_nullable(floor.lost_high * law.proposals),
        lost_sales_low=_nullable(floor.lost_low * law.proposals * law.accepted * law.price),
        lost_sales_high=_nullable(floor.lost_high * law.proposals * law.accepted * law.price),
    )


def forecast_slots(
    store: str, last: date, model: ArrivalModel, law: ServiceLaw, target: ServiceTarget, frame: pl.DataFrame, ahead: int
) -> pl.DataFrame:
    """Return the coming slots with arrivals expected, their 95 % interval, and clerks needed for the expectation."""
    days = [last + timedelta(days=d + 1) for d in range(ahead)]
    slots = np.flatnonzero(model.profile.sum(axis=0) > 0)
    expected = model.expect(days)[:, slots].ravel()
    most = int(np.ceil(float(expected.max(initial=0.0)) * law.share * law.seconds / (SLOT_MINUTES * 60) * 2 + 6))
    table = servable_rates(most, law.seconds, target, service_cv2=law.cv2)
    # The zone is that of the last known slot; two weeks on, clocks may have changed, the hour on the wall has not.
    offset = frame["starts_at"][-1][-6:]
    starts = [f"{d.isoformat()}T{s // 4:02d}:{s % 4 * SLOT_MINUTES:02d}:00{offset}" for d in days for s in slots]
    return pl.DataFrame(
        {
            "store_id": store,
            "starts_at": starts,
            "minutes": SLOT_MINUTES,
            "arrivals": expected,
            "low": model.quantile(expected, 0.025),
            "high": model.quantile(expected, 0.975),
            "needed": np.where(
                expected * law.share < NEGLIGIBLE,
                0,
                np.searchsorted(table, expected * law.share / (SLOT_MINUTES * 60) - 1e-15),
            ),
        }
    )


def _nullable(values: Floats) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _rows(judged: pl.DataFrame | None) -> list[dict[str, Any]]:
    return [] if judged is None else judged.drop("day", "slot").to_dicts()


def _law_facts(store: str, law: ServiceLaw) -> dict[str, Any]:
    return {
        "store_id": store,
        "service_seconds": law.seconds,
        "service_cv": law.cv2**0.5,
        "services": law.services,
        "share_served": law.share,
        "patience_seconds": law.patience,
        "patience_known": law.patience_known,
    }
