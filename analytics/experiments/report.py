"""The experiments report: arms against their control, and policies valued from the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy.orm import Session

from analytics.experiments.arms import CONTROLS, arm_sums, campaign_sums
from analytics.experiments.assignment import sample_ratio
from analytics.experiments.logged_policies import policy_log, policy_values
from analytics.experiments.sequential import mixture_half_width
from analytics.rates import difference_from_sums, normal_quantile

# Effects one hopes to see, in standard deviations of the outcome; fixed, so that the interval holds at every look.
HOPED_EFFECT = 0.1


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | None = None,
    end: date | None = None,
    shares: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return the experiments report: `arms`, `campaigns`, `policies` and `sample_ratio`.

    *shares* are the intended shares of the arms (the settings know them); without them the split cannot be checked and
    `sample_ratio` is null. Each arm has one row per `metric` (see `arms.arm_sums`), compared with the hold-out arm, or
    with the first arm by name where there is none; its own row has an effect of 0.
    """
    sums = arm_sums(session, store=store, start=start, end=end)
    sizes = dict(sums["bought"].select("arm", "n").iter_rows())
    checked = sample_ratio(sizes, shares) if shares and sizes else None
    arms = [row for metric, frame in sums.items() for row in arm_rows(metric, frame)]
    log = policy_log(session, store=store, start=start, end=end)
    return {
        "arms": arms,
        "campaigns": campaign_effects(session, store=store, start=start, end=end),
        "policies": policy_values(log) if not log.is_empty() else [],
        "sample_ratio": None
        if checked is None
        else {"p_value": checked.p_value, "ok": checked.ok, "expected": checked.expected, "sizes": sizes},
    }


def campaign_effects(
    session: Session, *, store: str | None = None, start: date | None = None, end: date | None = None
) -> list[dict[str, Any]]:
    """Return the arms of each campaign for focus merchandise: the share of customers new to it who bought of it for
    the first time, and the effect of being shown suggestions against the hold-out.
    """
    return [
        {"campaign_id": campaign_id, "name": name} | row
        for (campaign_id, name), sums in campaign_sums(session, store=store, start=start, end=end).items()
        for row in arm_rows("focus_first_purchase", sums)
    ]


def arm_rows(metric: str, sums: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the arms of one metric from their sums (arm, n, total, squares), with effects against the control.

    `low`/`high` hold for one look, `always_low`/`always_high` for looking as often as one likes. They are None where
    an arm of fewer than two customers gives no variance.
    """
    rows = {row["arm"]: row for row in sums.to_dicts()}
    control = next((rows[arm] for arm in sorted(rows) if arm.lower() in CONTROLS), None)
    if control is None and rows:
        control = rows[min(rows)]
    out = []
    for arm, row in sorted(rows.items()):
        assert control is not None
        effect, low, high, always = 0.0, 0.0, 0.0, 0.0
        if row is not control:
            found = difference_from_sums(
                row["n"], row["total"], row["squares"], control["n"], control["total"], control["squares"]
            )
            effect, low, high = found.value, found.low, found.high
            variance = ((high - low) / 2 / normal_quantile(0.95)) ** 2
            n = row["n"] + control["n"]
            scatter = (row["squares"] + control["squares"]) / n - ((row["total"] + control["total"]) / n) ** 2
            always = high - effect
            if 0 < variance < np.inf and scatter > 0:
                always = float(mixture_half_width(variance, HOPED_EFFECT**2 * scatter)[0])
        out.append(
            {
                "metric": metric,
                "arm": arm,
                "n": row["n"],
                "outcome": row["total"] / row["n"],
                "effect": effect,
                "low": _finite(low),
                "high": _finite(high),
                "always_low": _finite(effect - always),
                "always_high": _finite(effect + always),
                "control": control["arm"],
            }
        )
    return out


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
