"""Where the parts of the staff plots stand: numbers in, positions in the picture out; templates only draw them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from analytics.funnel_plot import limits

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 16, 40
LABEL_SPACE = 15  # from one line of names to the next
LETTER = 13  # a Japanese letter is as wide as it is high


class Scale:
    """From values to positions along one side of the picture."""

    def __init__(self, low: float, high: float, first: float, last: float) -> None:
        self.low, self.span, self.first, self.length = low, (high - low) or 1.0, first, last - first

    def __call__(self, value: float) -> float:
        """The position of a value, one decimal."""
        return round(self.first + self.length * (value - self.low) / self.span, 1)


def ticks(high: float, most: int = 6) -> list[float]:
    """Round numbers from 0 to *high*."""
    if high <= 0:
        return [0.0]
    rough = high / most
    magnitude = 10 ** math.floor(math.log10(rough))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10) if m * magnitude >= rough)
    return [round(step * k, 10) for k in range(int(high / step + 1e-9) + 1)]


def funnel_picture(clerks: Iterable[Mapping[str, Any]], tau2: float) -> dict[str, Any] | None:
    """Observed over expected against the expected count, with the limits that chance keeps to; None without points."""
    points = [
        {"name": c["name"], "due": c["expected"] * c["proposed"], "oe": c["oe"], "flag": c["flag"], "id": c["clerk_id"]}
        for c in clerks
        if c["ranked"] and c["oe"] is not None and c["expected"]
    ]
    if not points:
        return None
    widest = max(p["due"] for p in points) * 1.08
    smallest = max(min(p["due"] for p in points) * 0.6, 2.0)
    grid = [smallest + (widest - smallest) * k / 60 for k in range(61)]
    bands = {level: limits(grid, level, tau2) for level in (0.95, 0.998)}
    highest = min(max(1.6, *(p["oe"] for p in points), float(bands[0.95][1][0])) * 1.05, 4.0)
    x, y = Scale(smallest, widest, LEFT, WIDTH - RIGHT), Scale(0, highest, HEIGHT - BOTTOM, TOP)
    curves = [
        {
            "level": level,
            "points": " ".join(f"{x(g)},{y(min(max(v, 0), highest))}" for g, v in zip(grid, side, strict=True)),
        }
        for level, pair in bands.items()
        for side in pair
    ]
    for p in points:
        p["x"], p["y"] = x(p["due"]), y(min(p["oe"], highest))
    _place_names(points)
    return {
        "points": points,
        "curves": curves,
        "one": y(1),
        "x_ticks": [(x(v), v) for v in ticks(widest) if v >= smallest],
        "y_ticks": [(y(v), v) for v in ticks(highest, 5)],
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "bottom": HEIGHT - BOTTOM,
    }


def _place_names(points: list[dict[str, Any]]) -> None:
    """Names beside their points: right, left, above or below, where they cover neither a point nor another name."""
    taken = [(p["x"] - 7, p["y"] - 7, p["x"] + 7, p["y"] + 7) for p in points]
    for p in sorted(points, key=lambda p: (p["x"], p["y"])):
        width = sum(LETTER if ord(letter) > 0x2E80 else LETTER * 0.6 for letter in p["name"])
        places = [
            (side, p["x"] + (10 if side == "start" else -10), p["y"] + 5 + down * LABEL_SPACE)
            for down in (0, -1, 1, -2, 2, -3, 3)
            for side in ("start", "end")
        ]
        side, at_x, at_y = next(
            (place for place in places if not any(_overlap(_box(*place, width), other) for other in taken)), places[0]
        )
        p["side"], p["name_x"], p["name_y"] = side, round(at_x, 1), round(at_y, 1)
        taken.append(_box(side, at_x, at_y, width))


Box = tuple[float, float, float, float]


def _box(side: str, x: float, y: float, width: float) -> Box:
    left = x if side == "start" else x - width
    return (left, y - LETTER, left + width, y + 3)


def _overlap(one: Box, other: Box) -> bool:
    outside = one[0] < LEFT or one[2] > WIDTH
    return outside or (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])


def trend_picture(trend: Mapping[str, Any]) -> dict[str, Any] | None:
    """The rate per week with its interval, the expectation in grey and the weeks of change; None for a single week."""
    weeks: Sequence[Mapping[str, Any]] = trend["weeks"]
    if len(weeks) < 2:
        return None
    known = [w for w in weeks if w["proposed"]]
    highest = min(1.0, max([0.1, *(w["rate"] for w in known), *(w["expected"] for w in known)]) * 1.35)
    x = Scale(0, len(weeks) - 1, LEFT + 12, WIDTH - RIGHT - 12)
    y = Scale(0, highest, HEIGHT - BOTTOM, TOP + 12)
    days = {w["week"]: number for number, w in enumerate(weeks)}
    every = max(1, math.ceil(len(weeks) / 7))
    return {
        "bars": [
            {"x": x(n), "low": y(w["low"]), "high": y(min(w["high"], highest)), "value": y(w["rate"])}
            for n, w in enumerate(weeks)
            if w["proposed"]
        ],
        "expected": " ".join(f"{x(n)},{y(w['expected'])}" for n, w in enumerate(weeks) if w["proposed"]),
        "changes": [x(days[c["week"]] - 0.5) for c in trend["changes"] if c["week"] in days],
        "x_ticks": [(x(n), date.fromisoformat(w["week"])) for n, w in enumerate(weeks) if n % every == 0],
        "y_ticks": [(y(v), v) for v in ticks(highest, 5)],
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "top": TOP,
        "bottom": HEIGHT - BOTTOM,
    }
