"""The database of a request: one reading session, opened when first asked for; writing sessions as they are needed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime

from flask import Flask, current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from journey import database
from journey.schema import require_schema


def init_app(app: Flask) -> None:
    """Connect, and refuse to serve from a database that is not at the newest schema."""
    with app.app_context():
        engine = database.connect(settings().storage.database)
    require_schema(engine)
    app.extensions["osusume.engine"] = engine
    app.teardown_appcontext(_close)


def engine_of(app: Flask) -> Engine:
    """The engine of an application."""
    engine = app.extensions["osusume.engine"]
    assert isinstance(engine, Engine)
    return engine


def reading() -> Session:
    """This request's reading session. What was written since it was first used may not show in it."""
    if "reading_session" not in g:
        g.reading_session = database.reading(engine_of(current_app))
    session: Session = g.reading_session
    return session


def writing() -> AbstractContextManager[Session]:
    """A session that commits at the end of the block and rolls back on any error.

    The reading session ends first: a request never holds two connections, so that workers cannot starve each other
    of them, and what is read afterwards is what was written.
    """
    end_reading()
    return database.writing(engine_of(current_app))


def end_reading() -> None:
    """Give the reading session's connection back."""
    session: Session | None = g.pop("reading_session", None)
    if session is not None and session.in_transaction():  # else it has no connection, and nothing is to be given back
        session.close()


def request_time() -> datetime:
    """The moment at which this request arrived; the same throughout the request."""
    if "request_time" not in g:
        g.request_time = datetime.now(UTC)
    moment: datetime = g.request_time
    return moment


def _close(error: BaseException | None) -> None:
    end_reading()
