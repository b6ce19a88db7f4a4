"""Alembic's entry: runs on the connection that ``journey.schema`` hands over."""

from __future__ import annotations

from alembic import context

from journey.record import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    user_module_prefix="journey.database.",
)
with context.begin_transaction():
    context.run_migrations()
