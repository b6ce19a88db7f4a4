"""``osusume import``, ``export`` and ``quarantine``: extract folders in and out, and the rows kept out."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.commands.rollups import roll_up
from journey.confirmations import confirm
from journey.database import reading, writing
from journey.errors import RejectedRows
from journey.intake import quarantine
from journey.intake.folder import import_folder
from journey.intake.summary import ImportSummary

COLUMNS = ["table", "read", "inserted", "updated", "unchanged", "quarantined", "conflicts", "stubs", "rows_per_second"]


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Import nothing if any row would be kept out (exit 1).")
@click.option("--later", is_flag=True, help="Leave the figures on the screens to the next: osusume rollup.")
@at_desk
def import_command(desk: Desk, directory: Path, strict: bool, later: bool) -> None:
    """Import an extract folder: CSV, CSV.gz or Parquet. Importing it again changes nothing.

    What was imported is told first; then the figures that screens read are added up, of the days that changed only.
    """
    try:
        summary = import_folder(
            desk.engine, directory, strict=strict, timezone=desk.settings.chain.timezone, now=desk.now,
            progress=lambda table, done, total: desk.counted(table, done, total or 0),
        )  # fmt: skip
    except RejectedRows as refused:
        tables = refused.facts["tables"]
        desk.show({"tables": tables, "reasons": refused.facts["reasons"]}, lambda: desk.table(tables, COLUMNS))
        raise
    _confirm(desk)
    desk.show(summary.as_json(), lambda: _tell(desk, summary))
    if not later:
        _add_up(desk)


def _add_up(desk: Desk) -> None:
    """Bring the figures of staff and staffing up to date; whoever does not want to wait may leave it to cron."""
    sys.stdout.flush()  # whoever reads our output need not wait for this
    desk.progress("adding up the figures on the screens; Ctrl-C leaves that to the next osusume rollup")
    try:
        roll_up(desk, ("staff", "staffing"))
    except KeyboardInterrupt:
        desk.progress("everything is imported; the figures on the screens follow with the next osusume rollup")


def _tell(desk: Desk, summary: ImportSummary) -> None:
    """The books for people, and what to look at next."""
    tables = summary.as_json()["tables"]
    desk.table(tables, COLUMNS)
    for table in tables:
        if table["unknown_columns"]:
            desk.say(f"{table['table']}: unknown columns left out: {', '.join(table['unknown_columns'])}")
    if summary.relinked:
        desk.say(f"{summary.relinked:,} earlier rows now belong to a known customer")
    for reason in summary.reasons[:5]:
        desk.say(f"kept out: {reason['file']}:{reason['line']}: {reason['reason']}")
    if summary.rejected:
        desk.say(f"{summary.rejected:,} rows kept out – see: osusume quarantine list")


def _confirm(desk: Desk) -> None:
    """Receipts that came now may confirm suggestions shown before, and change what is known of customers online."""
    with writing(desk.engine) as session:
        confirm(session, window=timedelta(hours=desk.settings.chain.attribution_hours))
    desk.forget_online()


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@at_desk
def export_command(desk: Desk, directory: Path) -> None:
    """Write the database as an extract folder that can be imported elsewhere."""
    from journey.intake.writing_out import export

    written = export(desk.engine, directory, progress=lambda table, done, total: desk.counted(table, done, total or 0))
    document: dict[str, Any] = {
        "directory": str(directory),
        "tables": [{"table": t, "rows": n} for t, n in written.items()],
    }
    desk.show(document, lambda: desk.table(document["tables"], ["table", "rows"], title=str(directory)))


@click.group()
def quarantine_command() -> None:
    """List, export and retry the rows that were kept out."""


@quarantine_command.command("list")
@click.option("--table", default=None, help="Only rows of this table.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1))
@at_desk
def quarantine_list(desk: Desk, table: str | None, limit: int) -> None:
    """List the rows that wait, with file, line and reason."""
    with reading(desk.engine) as session:
        counts = quarantine.count_by_table(session)
        columns = ["row_id", "table_name", "file", "line", "kind", "reason", "raw"]
        rows = [
            {name: getattr(row, name) for name in columns}
            for row in quarantine.list_rows(session, table=table, limit=limit)
        ]

    def readable() -> None:
        desk.table(rows, columns[:-1], title=f"{sum(count['rows'] for count in counts):,} rows are kept out")

    desk.show({"counts": counts, "rows": rows}, readable)


@quarantine_command.command("export")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@click.option("--table", default=None, help="Only rows of this table.")
@at_desk
def quarantine_export(desk: Desk, directory: Path, table: str | None) -> None:
    """Write the rows that wait as CSV files, to be corrected and handed to retry."""
    with reading(desk.engine) as session:
        written = quarantine.export_rows(session, directory, table=table)
    rows = [{"table": name, "rows": count} for name, count in written.items()]
    desk.show({"directory": str(directory), "tables": rows}, lambda: desk.table(rows, ["table", "rows"]))


@quarantine_command.command("retry")
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@at_desk
def quarantine_retry(desk: Desk, path: Path) -> None:
    """Import corrected rows; those that get in are settled, the others keep waiting."""
    from journey.intake.retry import retry

    summary = retry(desk.engine, path, timezone=desk.settings.chain.timezone, now=desk.now)
    _confirm(desk)

    def readable() -> None:
        _tell(desk, summary.imported)
        desk.say(f"{summary.settled:,} rows of the quarantine are settled")

    desk.show(summary.as_json(), readable)
    _add_up(desk)
