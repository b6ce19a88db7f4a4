"""Do the inputs still look as they did in training? Distributions and daily rates, compared.

Population stability index: PSI = Σ (now − then) · ln(now / then) over bins; by convention under .1 is calm and .25 a
change. Here a change counts only where it also exceeds what samples of this size differ by anyway: without one,
PSI / (1/n + 1/m) follows about χ² with bins − 1 degrees of freedom (Yurdakul 2018).
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from journey.lake import scan

NOW_DAYS, THEN_DAYS, MEMORY_DAYS = 14, 84, 60
LOOK, CHANGED = 0.1, 0.25
MOST_BINS = 15
FEWEST = 100
"""Rows on either side below which a distribution is not compared."""
EPOCH_DAY = date(1970, 1, 1)
FILE = "inputs.json"


@dataclass(frozen=True)
class Shift:
    """One distribution then and now: `noise` is the PSI that chance alone exceeds once in twenty; `level` is same,
    look or changed; `bins` hold bin, then and now as shares.
    """

    name: str
    psi: float
    noise: float
    level: str
    n_then: int
    n_now: int
    bins: list[dict[str, Any]]


@dataclass(frozen=True)
class Rate:
    """Something counted per day: mean then and now, and the ratio with its 95 % interval over days."""

    name: str
    then: float
    now: float
    ratio: float
    low: float
    high: float
    level: str


def measure(home: Path, cut_off: datetime, *, at: datetime) -> dict[str, Any]:
    """Compare the lake's last NOW_DAYS with the THEN_DAYS of training before them; `cut_off` is the serving version's.

    The document has at, cut_off, the two windows (first and last day), shifts and rates; windows are null and the
    lists empty where nothing was sold or looked at.
    """
    document: dict[str, Any] = {"at": at.astimezone(UTC).isoformat(), "cut_off": cut_off.isoformat()}
    lines, events = scan(home, "pos_lines"), scan(home, "web_events")
    days = [frame.select(pl.col("local_day").max()).collect().item() for frame in (lines, events)]
    last = max((day for day in days if day is not None), default=None)
    if last is None:
        return document | {"then": None, "now": None, "shifts": [], "rates": []}
    now_from = last - NOW_DAYS + 1
    then_to = min(now_from - 1, (cut_off.date() - EPOCH_DAY).days)
    then_from = then_to - THEN_DAYS + 1
    period = pl.when(pl.col("local_day") >= now_from).then(pl.lit("now")).when(
        pl.col("local_day").is_between(then_from, then_to)
    ).then(pl.lit("then"))  # fmt: skip
    recent = pl.col("local_day") >= then_from - MEMORY_DAYS
    bought = lines.filter(recent & (pl.col("quantity") > 0)).with_columns(period=period).collect()
    seen = events.filter(pl.col("local_day") >= then_from).with_columns(period=period).collect()
    categories = scan(home, "products").select("product_id", category=_top(pl.col("category"))).collect()
    samples = _samples(bought, seen, categories)
    shifts = [shift for name, frame in samples.items() if (shift := compared(name, frame)) is not None]
    spans = {"then": (then_from, then_to), "now": (now_from, last)}
    rates = [_rate(name, frame, spans) for name, frame in _daily(bought, seen).items() if len(frame)]
    told = {name: [(EPOCH_DAY + timedelta(days=int(d))).isoformat() for d in span] for name, span in spans.items()}
    return document | told | {"shifts": [asdict(s) for s in shifts], "rates": [asdict(r) for r in rates]}


def _samples(bought: pl.DataFrame, seen: pl.DataFrame, categories: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Per input a frame of period and bin."""
    inside = bought.filter(pl.col("period").is_not_null())
    unit = inside.select("period", price=pl.col("amount") / pl.col("quantity")).filter(pl.col("price") > 0)
    receipts = inside.group_by("store_id", "receipt_id", "period").agg(
        lines=pl.len(), carded=pl.col("customer_id").is_not_null().any(), channel=pl.col("channel").first()
    )
    size = receipts.select("period", bin=_banded(pl.col("lines"), (1, 2, 4, 8)))
    visits = bought.filter(pl.col("customer_id").is_not_null()).select("customer_id", "local_day", "period").unique()
    gap = (pl.col("local_day") - pl.col("local_day").shift(1).over("customer_id")).fill_null(MEMORY_DAYS)
    recency = visits.sort("customer_id", "local_day").select("period", bin=_banded(gap, (3, 7, 14, 28)))
    looked = seen.filter(pl.col("period").is_not_null())
    return {
        "category": _categorised(inside, categories),
        "price": _price_bands(unit),
        "store": receipts.select("period", bin="store_id"),
        "channel": receipts.select("period", bin=pl.col("channel").fill_null("")),
        "basket_size": size,
        "recency": recency.filter(pl.col("period").is_not_null()),
        "carded": receipts.select("period", bin=pl.when("carded").then(pl.lit("carded")).otherwise(pl.lit("uncarded"))),
        "web_kind": looked.select("period", bin="kind"),
        "web_category": _categorised(looked.filter(pl.col("product_id").is_not_null()), categories),
        "web_known": looked.select(
            "period",
            bin=pl.when(pl.col("customer_id").is_not_null()).then(pl.lit("known")).otherwise(pl.lit("unknown")),
        ),
    }


def compared(name: str, sample: pl.DataFrame) -> Shift | None:
    """The shift of one input from a frame of period (then, now) and bin; None where a side has too few rows.

    Bins beyond the largest MOST_BINS are one; half a row is added to each, so that an empty one has a logarithm.
    """
    counts = sample.group_by("bin", "period").len().pivot("period", index="bin", values="len").fill_null(0)
    if not {"then", "now"} <= set(counts.columns):
        return None
    counts = counts.select("bin", "then", "now").sort(pl.col("then") + pl.col("now"), "bin", descending=[True, False])
    n_then, n_now = int(counts["then"].sum()), int(counts["now"].sum())
    if min(n_then, n_now) < FEWEST or len(counts) < 2:
        return None
    if len(counts) > MOST_BINS:
        rest = counts[MOST_BINS - 1 :].select(bin=pl.lit("…"), then=pl.col("then").sum(), now=pl.col("now").sum())
        counts = pl.concat([counts[: MOST_BINS - 1], rest[:1]], how="vertical_relaxed")
    then, now = (
        (counts[side].to_numpy() + 0.5) / (n + 0.5 * len(counts)) for side, n in (("then", n_then), ("now", n_now))
    )
    psi = float(np.sum((now - then) * np.log(now / then)))
    noise = float(stats.chi2.ppf(0.95, len(counts) - 1)) * (1 / n_then + 1 / n_now)
    level = "same" if psi < max(LOOK, noise) else "changed" if psi >= CHANGED else "look"
    bins = [
        {"bin": b, "then": round(float(p), 4), "now": round(float(q), 4)}
        for b, p, q in zip(counts["bin"].to_list(), then, now, strict=True)
    ]
    if all(_edge(entry["bin"]) is not None for entry in bins):
        bins.sort(key=lambda entry: _edge(entry["bin"]) or 0.0)
    return Shift(name, round(psi, 4), round(noise, 4), level, n_then, n_now, bins)


def _daily(bought: pl.DataFrame, seen: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Counts per local day."""
    inside = bought.filter(pl.col("period").is_not_null())
    return {
        "lines": inside.group_by("local_day").len("n"),
        "receipts": inside.group_by("local_day").agg(n=pl.struct("store_id", "receipt_id").n_unique()),
        "customers": inside.group_by("local_day").agg(n=pl.col("customer_id").drop_nulls().n_unique()),
        "web_events": seen.filter(pl.col("period").is_not_null()).group_by("local_day").len("n"),
    }


def _rate(name: str, daily: pl.DataFrame, spans: dict[str, tuple[int, int]]) -> Rate:
    """Means over all days of a window, days without anything included; the interval from the scatter of days."""
    first = int(daily["local_day"].to_numpy().min())
    means, errors = [], []
    for begin, end in spans.values():
        counts = np.zeros(end - max(begin, first) + 1) if end >= first else np.zeros(1)
        mine = daily.filter(pl.col("local_day").is_between(begin, end))
        counts[mine["local_day"].to_numpy() - max(begin, first)] = mine["n"].to_numpy()
        means.append(float(counts.mean()))
        errors.append(float(counts.std(ddof=1) / np.sqrt(len(counts))) if len(counts) > 1 else float("inf"))
    then, now = means
    if then <= 0 or now <= 0:
        return Rate(name, round(then, 2), round(now, 2), 0.0, 0.0, 0.0, "same" if then == now else "changed")
    ratio = now / then
    half = 1.96 * float(np.hypot(errors[0] / then, errors[1] / now))
    low, high = ratio * np.exp(-half), ratio * np.exp(half)
    apart = low > 1.1 or high < 1 / 1.1
    level = "changed" if apart and not 0.5 < ratio < 2 else "look" if apart else "same"
    return Rate(
        name, round(then, 2), round(now, 2), round(ratio, 3), round(float(low), 3), round(float(high), 3), level
    )


def _top(path: pl.Expr) -> pl.Expr:
    return path.str.split(" > ").list.first()


def _categorised(rows: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    return rows.join(categories, on="product_id", how="left").select("period", bin=pl.col("category").fill_null(""))


def _price_bands(unit: pl.DataFrame) -> pl.DataFrame:
    """Bins by the deciles of then."""
    then = unit.filter(pl.col("period") == "then")["price"]
    if not len(then):
        return pl.DataFrame(schema={"period": pl.String, "bin": pl.String})
    edges = sorted({round(float(e), 2) for q in range(1, 10) if (e := then.quantile(q / 10)) is not None})
    return unit.select("period", bin=_banded(pl.col("price"), edges))


def _banded(value: pl.Expr, edges: list[float] | tuple[int, ...]) -> pl.Expr:
    """The first edge that is not exceeded, as text (``≤e``); above the last one ``>e``."""
    band = pl.lit(f">{edges[-1]:g}")
    for edge in reversed(edges):
        band = pl.when(value <= edge).then(pl.lit(f"≤{edge:g}")).otherwise(band)
    return band


def _edge(name: str) -> float | None:
    """Where a band of `_banded` stands among the others; None for any other bin."""
    if name[:1] not in ("≤", ">"):
        return None
    return float(name[1:]) + (0.5 if name[0] == ">" else 0.0)


def keep(models: Path, document: dict[str, Any]) -> None:
    """Leave the measurement for the page, in one step."""
    models.mkdir(parents=True, exist_ok=True)
    fresh = models / f".{FILE}-{os.getpid()}"
    fresh.write_text(json.dumps(document, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(models / FILE)


def kept(models: Path) -> dict[str, Any] | None:
    """The last measurement; None where there is none that can be read."""
    try:
        document: dict[str, Any] = json.loads((models / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document
