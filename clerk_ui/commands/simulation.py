"""``osusume simulate``: an invented chain."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--stores", default=3, show_default=True, type=click.IntRange(1, 500))
@click.option("--customers", default=2000, show_default=True, type=click.IntRange(10, 5_000_000))
@click.option("--clerks", default=None, type=click.IntRange(1, 50_000), help="In all; default: 8 a store.")
@click.option("--products", default=None, type=click.IntRange(20, 200_000))
@click.option("--days", default=120, show_default=True, type=click.IntRange(7, 3660))
@click.option("--seed", default=1, show_default=True, type=int)
@click.option("--end", default=None, type=click.DateTime(["%Y-%m-%d"]), help="The day after the last; default today.")
@at_desk
def simulate_command(
    desk: Desk,
    directory: Path,
    stores: int,
    customers: int,
    clerks: int | None,
    products: int | None,
    days: int,
    seed: int,
    end: datetime | None,
) -> None:
    """Write an extract folder of an invented chain whose laws are known; the truth goes to DIRECTORY/truth."""
    from journey.simulation import simulate

    summary = simulate(
        directory, stores=stores, customers=customers, clerks=clerks, products=products, days=days, seed=seed,
        end=(end or desk.now).date(), progress=lambda step, share: desk.progress(f"{share:5.0%}  {step}"),
    )  # fmt: skip
    desk.show(summary, lambda: _told(desk, summary))


def _told(desk: Desk, summary: dict[str, Any]) -> None:
    """What lies in the folder now, and what to do with it."""
    made = summary["setting"]
    desk.say(f"stores: {made['stores']} with a door and an EC shop; {made['clerks']} clerks, seed {made['seed']}")
    desk.say(f"{made['customers']:,} customers, {made['products']:,} products, {made['start']} until {made['end']}")
    for table, rows in summary["rows"].items():
        desk.say(f"  {table:16} {rows:>12,} rows")
    spoilt = sum(entry["rows"] for entry in summary["dirty"])
    desk.say(f"{spoilt:,} rows are dirty on purpose: {summary['directory']}/truth/dirty.csv says what becomes of them")
    desk.say(f"written in {summary['seconds']:.0f} s; next: osusume import {summary['directory']}")
