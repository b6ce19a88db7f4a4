"""KGI and drivers: how satisfied customers are in head and heart, and which touchpoint moves it."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import render_template, request

from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.coe.words import word
from clerk_ui.languages import current_language
from clerk_ui.management import frame

blueprint = APIBlueprint("cx", "clerk_ui.coe", enable_openapi=False)
KGIS = ("overall", "heart", "nps")
# the drawing of the map, in its own units
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 640, 400, 56, 44, 16, 24
FLOOR = 28  # room between the axis and an impact of nothing, for the names of the lower fields


@blueprint.get("/coe/cx")
@require_role("coe")
def kgi() -> str:
    """The KGI page."""
    stored = kept("experience")
    return render_template("coe/cx.html", **frame("cx"), **as_of(stored), found=stored and stored.document)


@blueprint.get("/coe/drivers")
@require_role("coe")
def drivers() -> str:
    """The drivers page."""
    chosen = request.args.get("kgi", KGIS[0])
    chosen = chosen if chosen in KGIS else KGIS[0]
    stored = kept("drivers", **({} if chosen == KGIS[0] else {"kgi": chosen}))
    found = stored.document if stored else None
    rows = found["drivers"] if found else []
    first = [row for row in rows if row["field"] == "improve_first"]
    leading = [row for row in rows if row.get("place_low") == 1]
    between = "」「" if current_language() == "ja" else "”, “"
    return render_template(
        "coe/drivers.html", **frame("drivers"), **as_of(stored), found=found, kgi=chosen, kgis=KGIS,
        places=priority_map(rows), first=first,
        first_names=between.join(word("touchpoint", row["touchpoint"]) for row in first),
        leading_names=between.join(word("touchpoint", row["touchpoint"]) for row in leading) if leading[1:] else None,
        usual=sum(row["performance"] for row in rows) / len(rows) if rows else None,
    )  # fmt: skip


def priority_map(rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Where each touchpoint stands on the map of performance (to the right) against impact (upwards).

    Both lines are the touchpoints' means. Returns the drawing: points with x, y, the interval's y, and the lines.
    """
    if not rows:
        return None
    marks: list[float] = [row["performance"] for row in rows]
    margin = max(1.0, (max(marks) - min(marks)) * 0.15)
    first, last = min(marks) - margin, max(marks) + margin
    most: float = max(row["high"] or row["lmg"] for row in rows) * 1.1 or 1.0

    def x(mark: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (mark - first) / (last - first), 1)

    def y(share: float) -> float:
        return round(HEIGHT - BOTTOM - FLOOR - (HEIGHT - BOTTOM - FLOOR - TOP) * share / most, 1)

    points = [
        {
            "touchpoint": row["touchpoint"], "field": row["field"], "x": x(row["performance"]), "y": y(row["lmg"]),
            "low": y(row["low"]) if row["low"] is not None else None,
            "high": y(row["high"]) if row["high"] is not None else None,
            "before": x(row["performance"]) > WIDTH * 0.8,
        }
        for row in rows
    ]  # fmt: skip
    return {
        "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT, "top": TOP, "bottom": HEIGHT - BOTTOM,
        "points": points, "mean_x": x(sum(marks) / len(rows)), "mean_y": y(sum(r["lmg"] for r in rows) / len(rows)),
        "first": first, "last": last, "most": most,
    }  # fmt: skip
