"""Truth of places and events: arrivals, days, service, planted actions."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation.comments import CHANGE_AT
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.floor import Service
from journey.simulation.laws import Laws
from journey.simulation.occasions import Occasions
from journey.simulation.products import F
from journey.simulation.stores import QUARTERS, Stores

KIND_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


def arrivals_truth(rates: F, stores: Stores) -> pl.DataFrame:
    """People entering per quarter hour on a day of factor 1, by store and kind of day."""
    s, k, q = (a.ravel() for a in np.meshgrid(np.arange(stores.n), np.arange(8), np.arange(QUARTERS), indexing="ij"))
    frame = pl.DataFrame(
        {
            "store_id": pl.Series(stores.ids).gather(s),
            "day_kind": pl.Series(KIND_NAMES).gather(k),
            "quarter": q,
            "starts": [f"{i // 4:02d}:{i % 4 * 15:02d}" for i in q],
            "rate": rates.ravel(),
        }
    )
    return frame.filter(pl.col("rate") > 0)


def days_truth(days: Days) -> pl.DataFrame:
    """Each day's kind and demand factor: rate(day, quarter) = rate(kind, quarter) × factor."""
    return pl.DataFrame(
        {
            "date": [days.date_of(d).isoformat() for d in range(days.n)],
            "day_kind": [KIND_NAMES[k] for k in days.kind],
            "holiday": days.holiday,
            "factor": days.factor,
        }
    )


def service_truth(occasions: Occasions, service: Service, stores: Stores, laws: Laws) -> pl.DataFrame:
    """Per store: law of service and patience, and what came of it."""
    rows = []
    for store in range(stores.n):
        sought = service.sought & (occasions.store == store)
        served = sought & (service.clerk >= 0)
        rows.append(
            {
                "store_id": stores.ids[store], "mean_seconds": laws.service_mean_seconds, "cv": laws.service_cv,
                "patience_mean_seconds": laws.patience_mean_seconds, "seeks_service": laws.seeks_service,
                "sought": int(sought.sum()), "served": int(served.sum()), "unserved": int((sought & ~served).sum()),
                "mean_wait_seconds": float(service.wait[sought].mean()) if sought.any() else 0.0,
                "within_60_s": float((served & (service.wait <= 60))[sought].mean()) if sought.any() else 0.0,
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def actions_truth(days: Days, stores: Stores, laws: Laws) -> pl.DataFrame:
    """Planted events: an action with an effect, one without, and an app update that annoys."""
    at = days.date_of(int(np.ceil(CHANGE_AT * days.n))).isoformat()
    real = stores.ids[laws.action_store % stores.n] if stores.n > 1 else None
    score = "one_tap store score (before rounding)"
    rows = [
        ("service_training", real, at, score, laws.action_effect if real else 0.0),
        ("new_uniforms", stores.ids[laws.action_null_store % stores.n], at, score, 0.0),
        ("app_update", None, at, "weight of theme app among negative comments", 4.0),
    ]
    return pl.DataFrame(rows, schema=["event", "store_id", "starts_on", "measure", "effect"], orient="row")


def asked_truth(invited: pl.DataFrame, days: Days) -> pl.DataFrame:
    """How many were asked and how many of them answered, per survey and day."""
    dates = pl.Series([days.date_of(d).isoformat() for d in range(days.n + 7)])
    table = (
        invited.with_columns(day=pl.col("asked_at") // DAY_SECONDS)
        .group_by("survey_id", "day")
        .agg(asked=pl.len(), answered=pl.col("answered").sum())
        .sort("survey_id", "day")
    )
    return table.select("survey_id", date=dates.gather(table["day"]), asked="asked", answered="answered")
