"""How customers experience us: NPS, head, heart and the whole, four fields of loyalty, satisfaction per touchpoint.

Question: how loyal are customers, in head and heart, what do they do, and how is each touchpoint judged? Intervals
are at 95 % and over persons. What would make it wrong: only some answer; ``weighted`` shows the figures with
answerers weighted to stand for all customers by tier and channel, and a large gap to the plain figures is a warning.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Any

import polars as pl
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from analytics.answers import HEAD, HEART, answer_sheets
from analytics.behaviour import customer_behaviour, silence_days, with_churn
from analytics.clustered_means import Mean, change_between, clustered_mean
from analytics.lifetime_value import customer_values
from analytics.loyalty import alpha_of, field_lines, head_and_heart, heart_premium, loyalty_fields, person_scores
from analytics.nonresponse import response_weights
from analytics.nps import NetPromoterScore, net_promoter_score
from analytics.period import Period
from analytics.rates import rate
from journey.database import from_micros
from journey.stores import DEFAULT_TIMEZONE
from journey.survey_invitations import Invitation

_PARTS = {"head": (HEAD, True), "heart": (HEART, True), "overall": ("overall", False)}


def touchpoint_satisfaction(sheets: pl.DataFrame) -> list[dict[str, Any]]:
    """Mean score (csat, 0–100) per touchpoint with its interval, and the share who are satisfied (75 or more).

    sheets: question, touchpoint, score, person.
    """
    scored = sheets.filter(
        (pl.col("question") == "touchpoint") & pl.col("score").is_not_null() & (pl.col("touchpoint") != "")
    )
    rows = []
    for (name,), part in scored.sort("touchpoint").group_by("touchpoint", maintain_order=True):
        mean = clustered_mean(part["score"].to_numpy(), part["person"].to_numpy())
        assert mean is not None
        satisfied = int((part["score"] >= 75.0).sum())
        rows.append(
            {"touchpoint": name, "csat": mean.value, "low": mean.low, "high": mean.high, "n": mean.n}
            | {"people": mean.people, "satisfied_share": satisfied / mean.n}
        )
    return rows


def experience(
    sheets: pl.DataFrame,
    behaviour: pl.DataFrame,
    earlier: pl.DataFrame,
    last_day: int,
    invited: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The ``experience`` report from frames.

    sheets: answers as analytics.answers.scaled_answers gives them. behaviour: as
    analytics.behaviour.customer_behaviour. earlier: the answers of the period compared with (may be empty). last_day:
    the day (since 1970-01-01) up to which behaviour is known. invited: how many were asked
    for their NPS and how many of them answered; None where only the answers are on record.
    """
    notes: list[str] = []
    weights = response_weights(behaviour.select("person", "tier", "channel"), sheets["person"])
    nps, nps_n = _nps_block(sheets, earlier, weights, invited, notes)
    parts = {name: _part_block(sheets, earlier, weights, name, notes) for name in _PARTS}
    scores = head_and_heart(sheets)
    lines = field_lines(scores)
    silence = silence_days(behaviour)
    acted = with_churn(behaviour, last_day, silence)
    if lines.moved:
        notes.append(
            f"Nearly all stand on one side of 75; the line of {' and '.join(lines.moved)} is the median instead."
        )
    if silence is None:
        notes.append("Too few customers came twice to say who has gone; churn is not shown.")
    identified = scores.filter(pl.col("person").str.starts_with("c:"))
    if identified.height < scores.height:
        notes.append(
            f"{scores.height - identified.height} anonymous sheets are not in the fields: their purchases are unknown."
        )
    if not nps_n and not scores.height:
        notes.append("No answers in this period; import answers or start a survey.")
    answerers = sheets.filter(pl.col("person").is_in(behaviour["person"].implode()))["person"].n_unique()
    reach = rate(answerers, behaviour.height)
    return {
        "nps": nps,
        **parts,
        "fields": loyalty_fields(identified, acted, lines),
        "field_lines": {"head": lines.head, "heart": lines.heart},
        "heart_premium": heart_premium(identified, acted, lines),
        "churn_days": silence,
        "touchpoints": touchpoint_satisfaction(sheets),
        "reach": reach.value if reach else None,
        "notes": notes,
    }


def _nps_block(
    sheets: pl.DataFrame,
    earlier: pl.DataFrame,
    weights: pl.DataFrame,
    invited: tuple[int, int] | None,
    notes: list[str],
) -> tuple[dict[str, Any], int]:
    asked = sheets.filter(pl.col("question") == "nps")
    given = asked.filter(pl.col("ten").is_not_null())
    current = _nps(given)
    response = asked.height and given.height < asked.height
    if asked.height and not response and invited is None:
        notes.append(
            "Only answered sheets are on record, so that the response rate is unknown;"
            " reach is the share of buyers heard."
        )
    block: dict[str, Any] = {"value": None, "low": None, "high": None, "n": 0}
    if current is not None:
        block = {k: v for k, v in asdict(current).items() if k != "error"}
        if current.n < 30:
            notes.append(f"NPS rests on {current.n} answers; read the interval.")
    count, heard = (asked.height, given.height) if response else invited or (0, 0)
    share = rate(heard, count)
    block["response_rate"], block["asked"] = share.value if share else None, count or None
    block["response_low"], block["response_high"] = (share.low, share.high) if share else (None, None)
    weighed = given.join(weights, on="person")
    fair = net_promoter_score(weighed["ten"].to_numpy(), weighed["person"].to_numpy(), weighed["weight"].to_numpy())
    block["weighted"] = None if fair is None else {"value": fair.value, "low": fair.low, "high": fair.high, "n": fair.n}
    before = _nps(earlier.filter((pl.col("question") == "nps") & pl.col("ten").is_not_null()))
    change = change_between(current.value, current.error, before.value, before.error) if current and before else None
    block["change"] = asdict(change) if change else None
    return block, given.height


def _nps(given: pl.DataFrame) -> NetPromoterScore | None:
    return net_promoter_score(given["ten"].to_numpy(), given["person"].to_numpy())


def _part_block(
    sheets: pl.DataFrame, earlier: pl.DataFrame, weights: pl.DataFrame, name: str, notes: list[str]
) -> dict[str, Any]:
    question, prefix = _PARTS[name]
    scores = person_scores(sheets, question, prefix=prefix)
    mean = _mean(scores)
    alpha = alpha_of(sheets, question) if prefix else None
    if prefix and mean is not None and alpha is None:
        notes.append(f"{name}: one question cannot show its reliability; ask two or more.")
    if alpha is not None and alpha < 0.7:
        notes.append(f"{name}: its questions hang together loosely (alpha {alpha:.2f}); read them one by one.")
    block: dict[str, Any] = {"score": None, "low": None, "high": None, "n": 0, "alpha": alpha}
    if mean is not None:
        block |= {"score": mean.value, "low": mean.low, "high": mean.high, "n": mean.n}
    weighed = scores.join(weights, on="person")
    fair = clustered_mean(weighed["score"].to_numpy(), weights=weighed["weight"].to_numpy())
    block["weighted"] = None if fair is None else {"score": fair.value, "low": fair.low, "high": fair.high, "n": fair.n}
    before = _mean(person_scores(earlier, question, prefix=prefix))
    change = change_between(mean.value, mean.error, before.value, before.error) if mean and before else None
    block["change"] = asdict(change) if change else None
    return block


def _mean(scores: pl.DataFrame) -> Mean | None:
    return clustered_mean(scores["score"].to_numpy())


def report(
    session: Session,
    *,
    store: str | None = None,
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    timezone: str = DEFAULT_TIMEZONE,
) -> dict[str, Any]:
    """The ``experience`` report: keys nps, heart, head, overall, fields, touchpoints, notes and more beside them.

    NPS is in points and over all answers, head, heart and overall on 0–100 and over persons. The change is tested
    against the stretch of the same length before ``start``; without dates, the later half of the answers against the
    earlier half. A store's report looks at the answers given for that store and at all purchases of those customers.
    """
    period = Period.of(start, end, timezone)
    sheets = answer_sheets(session, period, store=store)
    later, earlier = _compared(session, sheets, store, period)
    behaviour = customer_behaviour(session, period)
    last_day = int(behaviour["last_day"].max() or 0)  # type: ignore[arg-type]
    if store is not None:
        here = customer_behaviour(session, period, store=store)["person"]
        behaviour = behaviour.filter(pl.col("person").is_in(here.implode()))
    if sheets.height:
        values = customer_values(session, period, timezone)
        behaviour = behaviour.join(values.select("person", "value"), on="person", how="left")
    result = experience(sheets, behaviour, earlier, last_day, _invited(session, period, sheets, store))
    if later is not None:
        compared = experience(later, behaviour, earlier, last_day)
        for name in ("nps", *_PARTS):
            result[name]["change"] = compared[name]["change"]
    return result


def _invited(session: Session, period: Period, sheets: pl.DataFrame, store: str | None) -> tuple[int, int] | None:
    """How many of the invitations to surveys that ask for the NPS were answered; of links that have had their time."""
    asking = sheets.filter(pl.col("question") == "nps")
    if asking.is_empty():
        return None
    latest = from_micros(int(asking["answered_at"].to_numpy().max()))
    chosen = period.covers(Invitation.made_at) & (Invitation.expires_at <= latest)
    chosen = chosen & Invitation.survey_id.in_(asking["survey_id"].unique().to_list())
    if store is not None:
        chosen = chosen & (Invitation.store_id == store)
    row = session.execute(select(func.count(), func.count(Invitation.answered_at)).where(chosen)).one()
    return (int(row[0]), int(row[1])) if row[0] else None


def _compared(
    session: Session, sheets: pl.DataFrame, store: str | None, period: Period
) -> tuple[pl.DataFrame | None, pl.DataFrame]:
    """The answers whose change is tested (None: all of the period) and those they are compared with."""
    if sheets.is_empty():
        return None, sheets
    first, last = int(sheets["answered_at"].min()), int(sheets["answered_at"].max())  # type: ignore[arg-type]
    if period.start is None:
        middle = (first + last) // 2
        return sheets.filter(pl.col("answered_at") > middle), sheets.filter(pl.col("answered_at") <= middle)
    before = Period(2 * period.start - (last + 1 if period.end is None else period.end), period.start)
    return None, answer_sheets(session, before, store=store)
