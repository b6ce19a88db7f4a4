"""What a store's manager may see of the answers: figures of at least five persons, never one answer.

Question: how is this store judged against the chain, and what are its comments about? Small groups are left out, so
that nobody can be told from a figure.
"""

from __future__ import annotations

from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.answers import answer_sheets
from analytics.experience import touchpoint_satisfaction
from analytics.period import Period
from analytics.rates import rate
from analytics.voice import read_comments
from journey.survey_invitations import Invitation

LEAST_PERSONS = 5


def store_voice(session: Session, store: str, period: Period) -> dict[str, Any]:
    """Keys touchpoints (csat, low, high, n, chain), themes (n, people, negative), hidden, asked, answered, rate.

    ``hidden`` counts the touchpoints and themes that fewer than LEAST_PERSONS spoke of.
    """
    sheets = answer_sheets(session, period)
    chain = {row["touchpoint"]: row for row in touchpoint_satisfaction(sheets)}
    own = sheets.filter(pl.col("store_id") == store)
    judged = touchpoint_satisfaction(own)
    shown = [
        row | {"chain": chain[row["touchpoint"]]["csat"], "chain_n": chain[row["touchpoint"]]["n"]}
        for row in judged
        if row["people"] >= LEAST_PERSONS
    ]
    themes = _themes(own)
    spoken = [row for row in themes if row["people"] >= LEAST_PERSONS]
    asked, answered = _asked(session, store, period)
    found = rate(answered, asked)
    return {
        "touchpoints": shown,
        "themes": spoken,
        "hidden": len(judged) - len(shown) + len(themes) - len(spoken),
        "asked": asked,
        "answered": answered,
        "rate": found.value if found else None,
        "rate_low": found.low if found else None,
        "rate_high": found.high if found else None,
    }


def _themes(sheets: pl.DataFrame) -> list[dict[str, Any]]:
    written = sheets.filter(pl.col("comment").str.strip_chars().fill_null("") != "")
    written = written.unique(["response_id", "comment"], maintain_order=True)
    if written.is_empty():
        return []
    read = pl.concat([written.select("person"), read_comments(written["comment"].to_list())], how="horizontal")
    each = read.explode("themes").filter(pl.col("themes").is_not_null())
    table = each.group_by("themes").agg(
        pl.len().alias("n"),
        pl.col("person").n_unique().alias("people"),
        (pl.col("label") == "negative").sum().alias("negative"),
    )
    return table.rename({"themes": "theme"}).sort("n", "theme", descending=[True, False]).to_dicts()


def _asked(session: Session, store: str, period: Period) -> tuple[int, int]:
    row = session.execute(
        select(func.count(), func.count(Invitation.answered_at)).where(
            Invitation.store_id == store, period.covers(Invitation.made_at)
        )
    ).one()
    return int(row[0]), int(row[1])
