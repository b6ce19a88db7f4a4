"""``osusume db``: the schema."""

from __future__ import annotations

import click

from clerk_ui.commands.console import Desk, at_desk
from journey.schema import upgrade


@click.group()
def db_command() -> None:
    """Bring the database to the newest schema."""


@db_command.command("upgrade")
@at_desk
def db_upgrade(desk: Desk) -> None:
    """Bring the database to the newest schema; does nothing when it is there already."""
    before, after = upgrade(desk.bare_engine)
    url = desk.bare_engine.url.render_as_string(hide_password=True)
    document = {"database": url, "before": before, "after": after}
    desk.show(document, lambda: desk.say(f"{url}: schema {after}" + (" already" if before == after else "")))
