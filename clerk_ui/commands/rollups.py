"""``osusume rollup``: brings the sums up to date that screens and reports read; safe to run from cron."""

from __future__ import annotations

import importlib
import inspect
import time
from datetime import timedelta
from functools import partial
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk
from journey.analysis_results import newest_result
from journey.database import reading, writing

# name → module and function of analytics; it takes a session and whichever of now, everything, timezone and progress
# (done, total) it needs, and returns what it did
ROLL_UPS = {
    "staff": ("analytics.staff_success", "roll_up"),
    "know-how": ("analytics.know_how", "roll_up"),
    "staffing": ("analytics.staffing", "roll_up"),
}

# The analyses of the CX loop read the whole record: made when named, else once a day however often cron comes by.
CX = "cx"
CX_EVERY = timedelta(hours=20)


def roll_up(desk: Desk, names: tuple[str, ...] = (), *, everything: bool = False) -> list[dict[str, Any]]:
    """Run these roll-ups (none named: all), each in a transaction of its own."""
    offered: dict[str, Any] = {"now": desk.now, "everything": everything, "timezone": desk.settings.chain.timezone}
    done: list[dict[str, Any]] = []
    for name in names or tuple(ROLL_UPS):
        offered["progress"] = partial(desk.counted, name)
        started = time.perf_counter()
        module, attribute = ROLL_UPS[name]
        function = getattr(importlib.import_module(module), attribute)
        known = inspect.signature(function).parameters
        with writing(desk.engine) as session:
            found = function(session, **{key: value for key, value in offered.items() if key in known})
        done.append({"rollup": name, **found, "seconds": round(time.perf_counter() - started, 2)})
    return done


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([*ROLL_UPS, CX]))
@click.option("--everything", is_flag=True, help="Add up every day anew, not only those that changed.")
@at_desk
def rollup_command(desk: Desk, names: tuple[str, ...], everything: bool) -> None:
    """Bring what is behind screens and reports up to date: sums of the days that changed, and the CX analyses."""
    sums = tuple(name for name in names if name != CX)
    done = roll_up(desk, sums, everything=everything) if sums or not names else []
    if CX in names or (not names and _cx_is_old(desk)):
        from clerk_ui.kept_results import refresh

        done += refresh(desk.engine, now=desk.now, timezone=desk.settings.chain.timezone, progress=desk.progress)
    columns = list(dict.fromkeys(key for row in done for key in row))
    desk.show({"rollups": done}, lambda: desk.table(done, columns))


def _cx_is_old(desk: Desk) -> bool:
    from analytics.kept import KEPT

    with reading(desk.engine) as session:
        newest = newest_result(session, list(KEPT))
    return newest is None or desk.now - newest > CX_EVERY
