"""Offers besides products: events of the stores, and what was offered with what answer.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "offers",
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("customer_ref", sa.String(), nullable=True),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=True),
        sa.Column("device_id", sa.String(), nullable=True),
        sa.Column("shown_at", journey.database.Instant(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("usefulness", sa.Double(), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("answered_at", journey.database.Instant(), nullable=True),
        sa.Column("answered_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("offer_id", name=op.f("pk_offers")),
    )
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_offers_customer_id_shown_at"), ["customer_id", "shown_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_offers_kind_result"), ["kind", "result"], unique=False)
    op.create_table(
        "store_events",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=True),
        sa.Column("starts_at", journey.database.Instant(), nullable=False),
        sa.Column("ends_at", journey.database.Instant(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_store_events")),
    )
    with op.batch_alter_table("store_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_store_events_ends_at"), ["ends_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("store_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_store_events_ends_at"))
    op.drop_table("store_events")
    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_offers_kind_result"))
        batch_op.drop_index(batch_op.f("ix_offers_customer_id_shown_at"))
    op.drop_table("offers")
