"""``osusume report`` and ``osusume confirm``: the analyses, and the till's confirmation that they rest on."""

from __future__ import annotations

import csv
import importlib
import inspect
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk, readable_value
from clerk_ui.commands.rollups import roll_up
from journey.confirmations import confirm
from journey.database import reading, writing
from journey.errors import InputError

COLUMNS_SHOWN = 13  # what a terminal can still line up

# report → (module of analytics with `report`, the key of its main list)
REPORTS = {
    "staff": ("analytics.staff_success", "clerks"),
    "know-how": ("analytics.know_how", "practices"),
    "staffing": ("analytics.staffing", "slots"),
    "experience": ("analytics.experience", "touchpoints"),
    "drivers": ("analytics.drivers", "drivers"),
    "journeys": ("analytics.journeys", "funnel"),
    "ltv": ("analytics.lifetime_value", "customers"),
    "assortment": ("analytics.assortment", "products"),
    "voice": ("analytics.voice", "themes"),
    "experiments": ("analytics.experiments", "arms"),
    "actions": ("analytics.action_plans", "actions"),
    "one-id": ("analytics.one_id", "coverage"),
    "coupons": ("analytics.coupon_effect", "coupons"),
}


def report_function(name: str) -> Callable[..., dict[str, Any]]:
    """The analysis behind a report."""
    function: Callable[..., dict[str, Any]] = importlib.import_module(REPORTS[name][0]).report
    return function


@click.command()
@click.argument("name", type=click.Choice(list(REPORTS)))
@click.option("--store", default=None, help="Only this store.")
@click.option("--from", "first", default=None, type=click.DateTime(["%Y-%m-%d"]), help="First day, local time.")
@click.option("--to", "last", default=None, type=click.DateTime(["%Y-%m-%d"]), help="Last day, included.")
@click.option("--kgi", default=None, help="drivers: the question that is the KGI (default: overall).")
@click.option("--unit", default=None, type=click.Choice(["day", "week"]), help="ltv: the unit of time.")
@click.option("--horizon", default=None, type=click.IntRange(1), help="ltv: how many units ahead.")
@click.option("--csv", "as_csv", is_flag=True, help="The main list as CSV on stdout.")
@at_desk
def report_command(
    desk: Desk, name: str, store: str | None, first: datetime | None, last: datetime | None, as_csv: bool, **asked: Any
) -> None:
    """Print an analysis, with the same figures as on the screens; without dates over everything known."""
    options: dict[str, Any] = {
        "store": store,
        "start": first.date() if first else None,
        "end": last.date() if last else None,
    } | {option: value for option, value in asked.items() if value is not None}
    function = report_function(name)
    known = inspect.signature(function).parameters
    asked["store"] = store
    if foreign := [option for option, value in asked.items() if value is not None and option not in known]:
        raise InputError(f"--{foreign[0]} means nothing here", where=f"report {name}", what_to_do="leave it out")
    if name in ("staff", "staffing"):
        roll_up(desk, (name,))  # what was tapped a minute ago counts too
    offered = {"now": desk.now, "timezone": desk.settings.chain.timezone}
    with reading(desk.engine) as session:
        document = function(session, **{k: v for k, v in (options | offered).items() if k in known})
    main = REPORTS[name][1]
    if as_csv:
        _write_csv(document.get(main, []))
    else:
        desk.show(document, lambda: _print(desk, document))


def _print(desk: Desk, document: dict[str, Any]) -> None:
    """Every list of the document as a table, everything else as a line."""
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            shown = value[:40]
            columns = list(shown[0])
            desk.table(shown, columns[:COLUMNS_SHOWN], title=f"{key} ({len(value)})")
            if len(value) > len(shown) or len(columns) > COLUMNS_SHOWN:
                rest = f"{len(value) - len(shown)} more rows, {max(0, len(columns) - COLUMNS_SHOWN)} more columns"
                desk.say(f"… {rest}; --json or --csv has them all")
        elif isinstance(value, dict):
            desk.say(f"{key}: " + ", ".join(f"{k} {readable_value(v)}" for k, v in value.items()))
        elif isinstance(value, list):
            desk.say(f"{key}: " + ("; ".join(map(str, value)) or "none"))
        else:
            desk.say(f"{key}: {readable_value(value)}")


def _write_csv(rows: list[dict[str, Any]]) -> None:
    if rows:
        writer = csv.DictWriter(sys.stdout, list(rows[0]), extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


@click.command()
@click.option("--days", default=None, type=click.IntRange(1), help="Only suggestions of the last days; default: all.")
@at_desk
def confirm_command(desk: Desk, days: int | None) -> None:
    """Confirm outcomes from ID-POS within the attribution window; safe to run from cron."""
    window = timedelta(hours=desk.settings.chain.attribution_hours)
    with writing(desk.engine) as session:
        count = confirm(session, window=window, since=desk.now - timedelta(days=days) if days else None)
    roll_up(desk, ("staff",))
    desk.show({"confirmed": count}, lambda: desk.say(f"{count:,} suggestions confirmed by the till"))
