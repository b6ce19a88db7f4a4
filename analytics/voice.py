"""Voice of the customer: what comments are about, how they sound, what changes, in the customers' own words.

Question: which themes come up, are they praise or complaint, more or less often than before, with whom and at which
touchpoint? Estimate: share of comments per theme and mean sentiment (−1 to 1) by phrase lists (analytics.themes,
analytics.sentiment); change between two stretches of time with intervals, many themes corrected for. What would make
it wrong: irony; words the lists do not know (``unread`` counts the comments without a theme); those who write are not
those who do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from scipy import stats
from sqlalchemy import select
from sqlalchemy.orm import Session

from analytics.answers import answer_sheets
from analytics.clustered_means import clustered_mean
from analytics.frames import Schema
from analytics.loyalty import field_lines, head_and_heart
from analytics.period import Period
from analytics.rates import benjamini_hochberg, difference_of_rates, rate
from analytics.sentiment import sentiment_book, sentiment_of
from analytics.themes import ThemeBook, emerging_words
from analytics.words import content_words, lexicon_rows, tokenizer, tokens_of
from journey.database import from_micros
from journey.stores import DEFAULT_TIMEZONE
from journey.surveys import Survey

SHORT_BELOW = 2
"""Meaningful words below which a comment is short."""

MOST_COMMENTS = 50_000
_WORDS_SHOWN, _COMMENTS_SHOWN = 15, 20

READ: Schema = {
    "themes": pl.List(pl.String),
    "sentiment": pl.Float64,
    "label": pl.String,
    "words": pl.List(pl.String),
}


def read_comments(texts: Sequence[str]) -> pl.DataFrame:
    """What each text is about and how it sounds: themes (strongest first), sentiment (−1 to 1), label, words."""
    by = tokenizer()
    moods, themes = sentiment_book(by), ThemeBook.seeded(by)
    rows = []
    for text in texts:
        tokens = tokens_of(text, by)
        mood = sentiment_of(tokens, moods)
        rows.append(([name for name, _ in themes.of(tokens)], mood.score, mood.label, content_words(tokens)))
    return pl.DataFrame(rows, schema=READ, orient="row")


@lru_cache(maxsize=1)
def measured_accuracy() -> dict[str, float | int]:
    """How often the sentiment is read as a person labelled it: accuracy, low, high (Wilson), n.

    Measured on the comments of lexicon/labelled.csv, written by hand apart from the phrase lists.
    """
    rows = list(lexicon_rows("labelled.csv"))
    read = read_comments([row["text"] for row in rows])["label"]
    right = rate(sum(label == row["sentiment"] for label, row in zip(read, rows, strict=True)), len(rows))
    assert right is not None
    return {"accuracy": right.value, "low": right.low, "high": right.high, "n": len(rows)}


def theme_table(comments: pl.DataFrame, later: pl.Series) -> list[dict[str, Any]]:
    """One row per theme, the most frequent first.

    comments: text, person, response_id, answered_at, touchpoint, field (of loyalty, may be null) and the columns of
    read_comments. later: (n,) bool, which comments belong to the stretch whose change is told. ``change`` is the
    share of later comments on the theme less that of earlier ones (interval by Newcombe, q_value over all themes),
    ``negative_change`` the same among negative comments.
    """
    names = sorted(comments["themes"].explode().drop_nulls().unique())
    rows = [_theme_row(comments, later, name) for name in names]
    q_values = benjamini_hochberg(np.array([row.pop("_p") for row in rows])) if rows else np.empty(0)
    for row, q in zip(rows, q_values, strict=True):
        row["q_value"] = None if row["change"] is None else float(q)
    return sorted(rows, key=lambda row: (-row["n"], row["theme"]))


def _theme_row(comments: pl.DataFrame, later: pl.Series, name: str) -> dict[str, Any]:
    about = comments["themes"].list.contains(name)
    part = comments.filter(about)
    mean = clustered_mean(part["sentiment"].to_numpy(), part["person"].to_numpy(), bounds=(-1.0, 1.0))
    assert mean is not None
    negative = comments["label"] == "negative"
    change = _change(about, later)
    worse = _change(about.filter(negative), later.filter(negative))
    moods = [part.filter(side)["sentiment"].mean() for side in (later.filter(about), ~later.filter(about))]
    counts = Counter(word for words in part["words"].to_list() for word in set(words))
    newest = part.sort("answered_at", "response_id", descending=[True, False]).head(_COMMENTS_SHOWN)
    return {
        "theme": name,
        "n": part.height,
        "share": part.height / comments.height,
        "sentiment": mean.value,
        "sentiment_low": mean.low,
        "sentiment_high": mean.high,
        "positive": int((part["label"] == "positive").sum()),
        "negative": int((part["label"] == "negative").sum()),
        **_change_keys("change", change),
        **_change_keys("negative_change", worse),
        "sentiment_change": None if None in moods else float(moods[0]) - float(moods[1]),  # type: ignore[arg-type]
        "words": [{"word": w, "n": n} for w, n in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:_WORDS_SHOWN]],
        "comments": [
            {"response_id": r, "text": t, "sentiment": s, "answered_at": from_micros(at).isoformat()}
            for r, t, s, at in newest.select("response_id", "text", "sentiment", "answered_at").iter_rows()
        ],
        "by_month": _months(part),
        "by_touchpoint": _split(part, "touchpoint"),
        "by_field": _split(part, "field"),
        "_p": 1.0 if change is None else change[3],
    }


def _change(about: pl.Series, later: pl.Series) -> tuple[float, float, float, float] | None:
    """Difference in shares with its interval and two-sided p (Fisher); None where a side has no comments."""
    n, m = int(later.sum()), int((~later).sum())
    if not n or not m:
        return None
    x, y = int((about & later).sum()), int((about & ~later).sum())
    gap = difference_of_rates(x, n, y, m)
    p_value = float(stats.fisher_exact(np.array([[x, n - x], [y, m - y]])).pvalue)
    return gap.value, gap.low, gap.high, p_value


def _change_keys(name: str, change: tuple[float, float, float, float] | None) -> dict[str, float | None]:
    value, low, high = change[:3] if change else (None, None, None)
    return {name: value, f"{name}_low": low, f"{name}_high": high}


def _months(part: pl.DataFrame) -> list[dict[str, Any]]:
    """Per calendar month: month (YYYY-MM), n, negative."""
    month = pl.from_epoch("answered_at", "us").dt.replace_time_zone("UTC").dt.convert_time_zone(DEFAULT_TIMEZONE)
    grouped = part.group_by(month.dt.strftime("%Y-%m").alias("month")).agg(
        pl.len().alias("n"), (pl.col("label") == "negative").sum().alias("negative")
    )
    return grouped.sort("month").to_dicts()


def _split(part: pl.DataFrame, by: str) -> list[dict[str, Any]]:
    known = part.filter(pl.col(by).is_not_null() & (pl.col(by) != ""))
    grouped = known.group_by(by).agg(
        pl.len().alias("n"), pl.col("sentiment").mean(), (pl.col("label") == "negative").sum().alias("negative")
    )
    return grouped.sort("n", by, descending=[True, False]).to_dicts()


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """The ``voice`` report: themes, and beside them counts, sentiment, emerging words, notes.

    Changes compare with the stretch of the same length before ``start``, else the later half of the comments with the
    earlier. A comment given on several rows of one sheet counts once.
    """
    notes: list[str] = []
    period = Period.of(start, end, timezone)
    sheets = answer_sheets(session, period, store=store)
    written = _written(sheets)
    if period.start is not None and written.height:
        until = period.end or int(written["answered_at"].to_numpy().max()) + 1
        before = answer_sheets(session, Period(2 * period.start - until, period.start), store=store)
        older = _written(before).with_columns(later=pl.lit(False))
        both = pl.concat([written.with_columns(later=pl.lit(True)), older])
    else:
        middle = _middle(written)
        both = written.with_columns(later=pl.col("answered_at") > middle)
    if both.height > MOST_COMMENTS:
        notes.append(f"Of {both.height} comments the newest {MOST_COMMENTS} are read.")
        both = both.sort("answered_at", descending=True).head(MOST_COMMENTS)
    read = pl.concat([_placed(session, both, sheets), read_comments(both["text"].to_list())], how="horizontal")
    now = read.filter("later") if period.start is not None else read
    if not now.height:
        notes.append("No comments in this period.")
    elif now.height < 30:
        notes.append(f"{now.height} comments are few; read them rather than the shares.")
    themes = theme_table(read, read["later"]) if now.height else []
    return {
        "themes": _recounted(themes, now, read),
        "counts": _counts(sheets, now),
        "sentiment": {name: int((now["label"] == name).sum()) for name in ("positive", "neutral", "negative")},
        "emerging": emerging_words(
            *(read.filter(pl.col("later") == side)["words"].to_list() for side in (True, False))
        ),
        "accuracy": measured_accuracy(),
        "notes": notes,
    }


def _written(sheets: pl.DataFrame) -> pl.DataFrame:
    """Comments with something in them, each sheet's once: response_id, person, answered_at, survey touchpoint, text."""
    stripped = sheets.with_columns(text=pl.col("comment").str.strip_chars()).filter(pl.col("text").fill_null("") != "")
    chosen = stripped.select("response_id", "person", "answered_at", "touchpoint", "survey_id", "text")
    return chosen.sort("response_id", "touchpoint", "text").unique(
        ["response_id", "text"], keep="last", maintain_order=True
    )


def _middle(written: pl.DataFrame) -> int:
    if written.is_empty():
        return 0
    at = written["answered_at"].to_numpy()
    return int((int(at.min()) + int(at.max())) // 2)


def _placed(session: Session, comments: pl.DataFrame, sheets: pl.DataFrame) -> pl.DataFrame:
    """Comments with the touchpoint of their survey where the row names none, and the writer's field of loyalty."""
    surveys = {row.survey_id: row.touchpoint for row in session.execute(select(Survey.survey_id, Survey.touchpoint))}
    of_survey = comments["survey_id"].replace_strict(surveys, default=None, return_dtype=pl.String)
    scores = head_and_heart(sheets)
    lines = field_lines(scores)
    high = {True: "high", False: "low"}
    fields = {
        person: f"head {high[head >= lines.head]}, heart {high[heart >= lines.heart]}"
        for person, head, heart in scores.iter_rows()
    }
    return comments.with_columns(
        touchpoint=pl.when(pl.col("touchpoint") == "").then(of_survey).otherwise("touchpoint"),
        field=pl.col("person").replace_strict(fields, default=None, return_dtype=pl.String),
    )


def _recounted(themes: list[dict[str, Any]], now: pl.DataFrame, read: pl.DataFrame) -> list[dict[str, Any]]:
    """Themes counted within the period alone, where the table looked at the time before as well."""
    if now.height == read.height:
        return themes
    alone = {row["theme"]: row for row in theme_table(now, pl.Series([True] * now.height))} if now.height else {}
    sides = ("", "_low", "_high")
    changes = ["q_value", "sentiment_change", *(f"{name}{s}" for name in ("change", "negative_change") for s in sides)]
    return [alone[row["theme"]] | {key: row[key] for key in changes} for row in themes if row["theme"] in alone]


def _counts(sheets: pl.DataFrame, now: pl.DataFrame) -> dict[str, int]:
    lengths = now["words"].list.len() if now.height else pl.Series([], dtype=pl.UInt32)
    return {
        "sheets": sheets["response_id"].n_unique(),
        "comments": now.height,
        "empty": sheets["response_id"].n_unique() - now["response_id"].n_unique(),
        "short": int(np.count_nonzero(lengths.to_numpy() < SHORT_BELOW)),
        "unread": int(np.count_nonzero(now["themes"].list.len().to_numpy() == 0)),
    }
