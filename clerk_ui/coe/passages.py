"""Journeys and coupons: where people drop out, through which channels they come to buy, what coupons do."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from apiflask import APIBlueprint
from flask import render_template

from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.languages import catalogue, current_language, t
from clerk_ui.management import frame

blueprint = APIBlueprint("passages", "clerk_ui.coe", enable_openapi=False)
PAGES, COUPONS, PATHS = 10, 20, 8
SURE = 0.05
TELLING = 100
"""Sessions none of which went on: then the next step is not recorded, rather than never taken."""


@blueprint.get("/coe/journeys")
@require_role("coe")
def journeys() -> str:
    """The journeys page."""
    stored = kept("journeys")
    found = stored.document if stored else None
    steps = found["funnel"] if found else []
    channels = sorted(found["attribution"], key=lambda row: -row["markov"]) if found else []
    worst = _worst(steps)
    return render_template(
        "coe/journeys.html", **frame("journeys"), **as_of(stored), found=found, steps=_widths(steps),
        worst=worst, names=_names(), unknown=bool(worst and worst["drop_off"] == 1 and worst["sessions"] >= TELLING),
        channels=channels, credited=sum(row["markov"] for row in channels),
        exits=found["exits"][:PAGES] if found else [], months=_months(found["channel_mix"]) if found else [],
        **_ways(found, PATHS),
    )  # fmt: skip


@blueprint.get("/coe/coupons")
@require_role("coe")
def coupons() -> str:
    """The coupons page."""
    stored = kept("coupons")
    found = stored.document if stored else None
    rows = sorted(found["coupons"], key=lambda row: -row["granted"])[:COUPONS] if found else []
    sure = [row for row in rows if row["q_value"] is not None and row["q_value"] <= SURE]
    granted, redeemed = (sum(row[name] for row in found["coupons"]) if found else 0 for name in ("granted", "redeemed"))
    return render_template(
        "coe/coupons.html", **frame("coupons"), **as_of(stored), found=found, rows=rows, granted=granted,
        redeemed=redeemed, working=[row for row in sure if row["effect"] > 0],
        costing=[row for row in sure if row["effect"] < 0], unused=[row for row in rows if not row["redeemed"]],
        passages=found["passages"] if found else [], names=_names(),
    )  # fmt: skip


def _worst(steps: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The step after which most are lost, with the one they did not reach."""
    lost = [step | {"next": after["step"]} for step, after in pairwise(steps) if step["drop_off"] is not None]
    return max(lost, key=lambda step: step["drop_off"], default=None)


def _names() -> dict[str, str]:
    """The words for channels and steps, as far as there are any."""
    prefix = "passages.ch_"
    return {key.removeprefix(prefix): t(key) for key in catalogue(current_language()) if key.startswith(prefix)}


def _widths(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each step with its share of the first."""
    first = steps[0]["sessions"] if steps and steps[0]["sessions"] else 1
    return [step | {"share": step["sessions"] / first} for step in steps]


def _ways(found: dict[str, Any] | None, most: int) -> dict[str, Any]:
    """The commonest ways that ended in a purchase, and those that did not."""
    paths = found.get("paths", []) if found else []
    won = sorted(paths, key=lambda row: -row["conversions"])[:most]
    lost = sorted((row for row in paths if row["nulls"]), key=lambda row: -row["nulls"])[:most]
    return {"won": [row for row in won if row["conversions"]], "lost": lost}


def _months(mix: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per month with the customers of each channel."""
    rows: dict[str, dict[str, Any]] = {}
    for row in mix:
        rows.setdefault(row["month"], {"month": row["month"], "channels": {}})["channels"][row["channel"]] = row
    return list(rows.values())
