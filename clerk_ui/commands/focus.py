"""``osusume focus``: to whom to propose the focus merchandise of the running campaigns."""

from __future__ import annotations

import click

from clerk_ui.commands.console import Desk, at_desk


@click.command()
@at_desk
def focus_command(desk: Desk) -> None:
    """Make the focus lists of every store and campaign; safe to run from cron, and done after every retraining."""
    from clerk_ui.focus_results import make_focus

    document = make_focus(desk.engine, desk.settings, now=desk.now, say=desk.progress)
    rows = [
        {"campaign": campaign["campaign_id"], "name": campaign["name"]} | store
        for campaign in document["campaigns"]
        for store in campaign["stores"]
    ]

    def readable() -> None:
        desk.table(rows, ["campaign", "name", "store_id", "customers", "better_left", "expected"])
        held = f"{document['control_rows']:,} held-out and {document['treated_rows']:,} shown suggestions"
        desk.say(f"ordered by {document['basis']} ({held})" if rows else "no campaign runs today")

    desk.show(document, readable)
