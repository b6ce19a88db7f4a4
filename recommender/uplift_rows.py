"""Suggestions as rows of an experiment: what was known as each was shown, which arm it was in, whether it was bought.

Hold-out customers have rows too, of what would have been shown to them, so both arms are the same kind of rows. All
features are of before `shown_at`: purchases and views strictly earlier, answers to earlier suggestions once the
attribution window has closed. `ROW_FEATURES` is known of both arms alike; `ANSWERS` only of who was ever proposed to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from journey.lake import scan
from journey.suggestions import HOLD_OUT

WINDOW = timedelta(hours=24)
MONTH = timedelta(days=28)
LONG_AGO = 400.0
ROW_FEATURES = (
    "bought_before", "days_since_bought", "due", "category_before", "category_share", "days_since_category",
    "baskets", "days_since_basket", "gap", "basket_lines", "first_days", "viewed_days", "category_viewed_days",
    "events", "popularity", "price", "shown_before", "unasked_n", "unasked_rate", "unasked_new_rate", "is_new",
)  # fmt: skip
ANSWERS = ("asked_n", "asked_rate", "asked_new_n", "asked_new_rate")
NEUTRAL, WEIGHT = 0.1, 4.0
"""Rates of few answers are drawn towards NEUTRAL with the weight of WEIGHT answers."""


@dataclass(frozen=True)
class UpliftFrames:
    """What the rows are made of, with the lake's columns: suggestions, outcomes, lines, events, products."""

    suggestions: pl.DataFrame
    outcomes: pl.DataFrame
    lines: pl.DataFrame
    events: pl.DataFrame
    products: pl.DataFrame

    @classmethod
    def of_lake(cls, home: Path) -> UpliftFrames:
        """Everything the lake holds."""
        return cls(
            *(
                scan(home, table).select(columns).collect()
                for table, columns in (
                    ("suggestions", ("suggestion_id", "customer_id", "store_id", "shown_at", "product_id", "arm",
                                     "propensity", "probability")),
                    ("outcomes", ("suggestion_id", "result")),
                    ("pos_lines", ("customer_id", "store_id", "product_id", "sold_at", "quantity")),
                    ("web_events", ("customer_id", "product_id", "occurred_at", "kind")),
                    ("products", ("product_id", "name", "category", "brand", "price")),
                )
            )
        )  # fmt: skip


def uplift_rows(frames: UpliftFrames, asked: pl.DataFrame | None = None) -> pl.DataFrame:
    """One row per suggestion to a known customer, in order of time, with features, ``treated`` and ``bought``.

    `asked` (customer_id, product_id, shown_at) makes rows of questions instead: what could be shown, with the features
    of that moment and no outcome.
    """
    products = frames.products.select(
        "product_id", "category", price=pl.col("price").cast(pl.Float64, strict=False).fill_null(0.0).log1p()
    ).unique("product_id")
    lines = frames.lines.filter((pl.col("quantity") > 0) & pl.col("product_id").is_not_null()).select(
        "customer_id", "product_id", at=_micros("sold_at")
    )
    carded = lines.filter(pl.col("customer_id").is_not_null()).join(products, on="product_id", how="left")
    shown = frames.suggestions.filter(pl.col("customer_id").is_not_null()).select(
        "suggestion_id", "customer_id", "product_id", at=_micros("shown_at"),
        treated=pl.col("arm").fill_null("") != HOLD_OUT,
    ).unique("suggestion_id").sort("at", "suggestion_id")  # fmt: skip
    log = _purchases(_answers(shown, frames.outcomes, carded).join(products, on="product_id", how="left"), carded)
    if asked is None:
        rows = log
    else:
        questions = asked.select("customer_id", "product_id", at=_micros("shown_at"))
        rows = _purchases(questions.join(products, on="product_id", how="left"), carded)
    rows = rows.with_row_index("row")
    rows = _views(rows, frames.events, products)
    rows = _popularity(rows, lines)
    rows = _earlier_answers(rows, log)
    return rows.sort("row").with_columns(
        pl.col("price").fill_null(0.0),
        due=(pl.col("days_since_bought") / pl.col("pair_gap").clip(1.0)).clip(0.0, 20.0),
        is_new=(pl.col("bought_before") == 0).cast(pl.Float64),
    )


def matrix(rows: pl.DataFrame, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Rows × features."""
    return rows.select(pl.col(name).cast(pl.Float64) for name in names).to_numpy()


def _micros(name: str) -> pl.Expr:
    return pl.col(name).dt.timestamp("us")


def _answers(shown: pl.DataFrame, outcomes: pl.DataFrame, carded: pl.DataFrame) -> pl.DataFrame:
    """Adds ``bought`` (the till shows it within the window) and ``asked`` (the clerk proposed it)."""
    sold = carded.select("customer_id", "product_id", at="at", sold="at").sort("at")
    found = shown.join_asof(
        sold, on="at", by=["customer_id", "product_id"], strategy="forward", check_sortedness=False
    ).with_columns(bought=(pl.col("sold") - pl.col("at") <= WINDOW // timedelta(microseconds=1)).fill_null(False))
    tapped = outcomes.unique("suggestion_id").select(
        "suggestion_id", asked=pl.col("result").is_in(["bought", "considering", "declined"])
    )
    return (
        found.drop("sold")
        .join(tapped, on="suggestion_id", how="left", maintain_order="left")
        .with_columns(pl.col("asked").fill_null(False) & pl.col("treated"))
    )


def _before(rows: pl.DataFrame, facts: pl.DataFrame, by: list[str], lag: timedelta = timedelta(0)) -> pl.DataFrame:
    """The latest of `facts` (sorted by at) strictly before each row's moment less `lag`."""
    micros = lag // timedelta(microseconds=1)
    moved = rows.with_columns(moment=pl.col("at") - micros)
    renamed = facts.rename({"at": "moment"}).with_columns(last=pl.col("moment")).sort("moment")
    return moved.sort("moment").join_asof(
        renamed, on="moment", by=by, strategy="backward", allow_exact_matches=False, check_sortedness=False
    ).drop("moment")  # fmt: skip


def _since(name: str) -> pl.Expr:
    return ((pl.col("at") - pl.col("last")) / 86_400e6).fill_null(LONG_AGO).clip(0, LONG_AGO).alias(name)


def _purchases(rows: pl.DataFrame, carded: pl.DataFrame) -> pl.DataFrame:
    """Counts, gaps and days since the last purchase, of the product, of its category, and of anything."""
    ordered = carded.sort("at")

    def counted(by: list[str], **more: pl.Expr) -> pl.DataFrame:
        """Per moment of buying: how often before and then, and since when."""
        moments = ordered.group_by([*by, "at"]).agg(lines=pl.len()).sort("at")
        return moments.with_columns(
            n=pl.col("at").cum_count().over(by), first=pl.col("at").first().over(by),
            total=pl.col("lines").cum_sum().over(by), **more,
        )  # fmt: skip

    gap = (pl.col("last") - pl.col("first")) / 86_400e6 / (pl.col("n") - 1).clip(1)
    rows = _before(rows, counted(["customer_id", "product_id"]), ["customer_id", "product_id"]).with_columns(
        _since("days_since_bought"), bought_before=pl.col("n").fill_null(0),
        pair_gap=pl.when(pl.col("n") > 1).then(gap).otherwise(60.0),
    ).drop("n", "first", "total", "lines", "last")  # fmt: skip
    rows = _before(rows, counted(["customer_id", "category"]), ["customer_id", "category"]).with_columns(
        _since("days_since_category"), category_before=pl.col("total").fill_null(0)
    ).drop("n", "first", "total", "lines", "last")  # fmt: skip
    rows = _before(rows, counted(["customer_id"]), ["customer_id"])
    return rows.with_columns(
        _since("days_since_basket"), baskets=pl.col("n").fill_null(0),
        gap=pl.when(pl.col("n") > 1).then(gap).otherwise(60.0),
        basket_lines=(pl.col("total") / pl.col("n")).fill_null(0.0),
        first_days=((pl.col("at") - pl.col("first")) / 86_400e6).fill_null(0.0),
        category_share=(pl.col("category_before") / pl.col("total")).fill_null(0.0),
    ).drop("n", "first", "total", "lines", "last")  # fmt: skip


def _views(rows: pl.DataFrame, events: pl.DataFrame, products: pl.DataFrame) -> pl.DataFrame:
    """Days since the product, and anything of its category, was looked at; web events so far."""
    looks = events.filter(
        pl.col("customer_id").is_not_null() & pl.col("kind").is_in(["view", "cart", "favorite", "recommend_click"])
    ).select("customer_id", "product_id", at=_micros("occurred_at"))
    looks = looks.join(products.select("product_id", "category"), on="product_id", how="left")
    for name, key in (("viewed_days", "product_id"), ("category_viewed_days", "category")):
        seen = looks.filter(pl.col(key).is_not_null()).select("customer_id", key, "at").unique()
        rows = _before(rows, seen, ["customer_id", key]).with_columns(_since(name)).drop("last")
    all_looks = looks.select("customer_id", "at").sort("at").with_columns(
        events=pl.col("at").cum_count().over("customer_id")
    )  # fmt: skip
    return _before(rows, all_looks, ["customer_id"]).with_columns(pl.col("events").fill_null(0)).drop("last")


def _popularity(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Log of the lines that held the product in the last month."""
    sold = lines.select("product_id", "at").sort("at").with_columns(n=pl.col("at").cum_count().over("product_id"))
    rows = _before(rows, sold, ["product_id"]).rename({"n": "sold"}).drop("last")
    rows = _before(rows, sold, ["product_id"], MONTH).rename({"n": "sold_earlier"}).drop("last")
    recent = pl.col("sold").fill_null(0) - pl.col("sold_earlier").fill_null(0)
    return rows.with_columns(popularity=recent.cast(pl.Float64).log1p()).drop("sold", "sold_earlier")


def _earlier_answers(rows: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """How the customer answered earlier proposals, and what of the unproposed was bought all the same."""
    asked, bought, new = pl.col("asked"), pl.col("bought"), pl.col("bought_before") == 0
    counted = {
        "shown": pl.lit(True), "asked": asked, "asked_bought": asked & bought, "asked_new": asked & new,
        "asked_new_bought": asked & new & bought, "left": ~asked, "left_bought": ~asked & bought,
        "left_new": ~asked & new, "left_new_bought": ~asked & new & bought,
    }  # fmt: skip
    sums = (
        log.select("customer_id", "at", **{f"past_{name}": each.cast(pl.Int32) for name, each in counted.items()})
        .group_by("customer_id", "at")
        .agg(pl.all().sum())
        .sort("at")
        .with_columns(pl.col(f"past_{name}").cum_sum().over("customer_id") for name in counted)
    )
    rows = _before(rows, sums, ["customer_id"], WINDOW).with_columns(
        pl.col(f"past_{name}").fill_null(0) for name in counted
    )

    def rate(of: str) -> pl.Expr:
        return (pl.col(f"past_{of}_bought") + WEIGHT * NEUTRAL) / (pl.col(f"past_{of}") + WEIGHT)

    return rows.with_columns(
        shown_before=pl.col("past_shown"), unasked_n=pl.col("past_left"), unasked_rate=rate("left"),
        unasked_new_rate=rate("left_new"), asked_n=pl.col("past_asked"), asked_rate=rate("asked"),
        asked_new_n=pl.col("past_asked_new"), asked_new_rate=rate("asked_new"),
    ).drop("last", *(f"past_{name}" for name in counted))  # fmt: skip
