from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from journey.database import connect, to_micros
from journey.errors import SchemaMissing
from journey.purchases import PosLine
from journey.record import metadata
from journey.schema import newest_revision, require_schema, upgrade


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    assert upgrade(engine) == (newest_revision(), newest_revision())


def test_an_empty_database_names_the_command_that_mends_it(tmp_path: Path) -> None:
    empty = connect(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SchemaMissing, match="osusume db upgrade"):
        require_schema(empty)
    empty.dispose()


def test_moments_and_money_come_back_exactly(session: Session) -> None:
    sold_at = datetime(2026, 1, 5, 3, 4, 5, 678901, tzinfo=UTC)
    session.add(
        PosLine(receipt_id="R", line_no=1, store_id="S", sold_at=sold_at, local_day=20458, product_id="P",
                quantity=1, amount=Decimal("15.3"), customer_id=None)
    )  # fmt: skip
    session.flush()
    session.expire_all()
    line = session.scalars(select(PosLine)).one()
    assert (line.sold_at, line.amount) == (sold_at, Decimal("15.3"))
    assert session.scalars(select(PosLine.receipt_id).where(PosLine.sold_at == sold_at)).all() == ["R"]


def test_a_datetime_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_micros(datetime(2026, 1, 5))  # noqa: DTZ001 - the very thing that must not pass
