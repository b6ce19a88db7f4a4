"""Brings a database to the newest schema, and tells whether it is there."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from journey.database import WRITE
from journey.errors import SchemaMissing


def migration_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str:
    """The revision that this version of the code works with."""
    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    assert head is not None
    return head


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None where there are no tables."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Apply what is missing in one transaction; returns the revisions before and after."""
    before = current_revision(engine)
    with engine.execution_options(**{WRITE: True}).begin() as connection:
        command.upgrade(migration_config(connection), "head")
    return before, newest_revision()


def require_schema(engine: Engine) -> None:
    """Refuse to work on a database that is not at the newest schema.

    Raises:
        SchemaMissing: with the command that mends it.
    """
    found = current_revision(engine)
    if found != newest_revision():
        state = "has no tables yet" if found is None else f"is at schema {found}, not {newest_revision()}"
        raise SchemaMissing(
            f"the database {state}",
            where=engine.url.render_as_string(hide_password=True),
            what_to_do="run: osusume db upgrade",
        )
