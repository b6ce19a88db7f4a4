"""Comments: natural Japanese that fits a score and a theme; the truth keeps both."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation import vocabulary
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.laws import Laws
from journey.simulation.products import Products

CHANGE_AT = 0.6  # share of the window after which the app's update annoys and the planted actions start

_FITS: dict[str, dict[str, float]] = {
    # how much likelier a theme is after that touchpoint
    "delivery": {"delivery": 8.0, "web": 2.0, "staff": 0.0, "waiting": 0.0, "cleanliness": 0.0, "app": 0.5},
    "store": {"delivery": 0.05, "web": 0.3},
}


def add_comments(
    answers: pl.DataFrame, products: Products, days: Days, laws: Laws, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds comments to one-tap answers and to the ``overall`` row of sheets; truth: theme and sentiment."""
    words = vocabulary.document("comments")
    names = list(words["themes"])
    weight = np.array([words["themes"][t]["weight"] for t in names])
    question = answers["question"].to_numpy()
    may = np.isin(question, ["overall"]) | answers["survey_id"].str.starts_with("ONETAP").to_numpy()
    chosen = np.flatnonzero(may & (rng.random(len(may)) < laws.comment_share))
    share = ((answers["score"] - answers["scale_min"]) / (answers["scale_max"] - answers["scale_min"])).to_numpy()
    at = answers["answered_at"].to_numpy()
    touchpoint = answers["touchpoint"].to_list()
    text: list[str | None] = [None] * answers.height
    rows = []
    for i in chosen.tolist():
        good = bool(rng.random() < 1 / (1 + np.exp(-9 * (share[i] - 0.56))))
        sentiment = "positive" if good else "negative"
        w = weight.copy()
        if at[i] > CHANGE_AT * days.n * DAY_SECONDS and not good:
            w[names.index("app")] *= 4
        w = w * [_FITS.get(touchpoint[i] or "", {}).get(t, 1.0) for t in names]
        theme = names[int(rng.choice(len(names), p=w / w.sum()))]
        product = int(rng.integers(len(products.ids)))
        body = str(rng.choice(words["themes"][theme][sentiment])).format(
            leaf=products.noun[product], brand=products.brand[product], hour=int(rng.integers(10, 21))
        )
        plain = theme == "none"
        head = "" if plain else str(rng.choice(words["openers"][sentiment]))
        tail = "" if plain else str(rng.choice(words["closers"][sentiment]))
        text[i] = head + body + tail
        rows.append((answers["response_id"][i], question[i], theme, sentiment))
    truth = pl.DataFrame(rows, schema=["response_id", "question", "theme", "sentiment"], orient="row")
    return answers.with_columns(comment=pl.Series(text, dtype=pl.String)), truth
