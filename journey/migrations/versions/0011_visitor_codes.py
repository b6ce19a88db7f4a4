"""Numbers that visitors of the web shop show at a counter

Revision ID: 0011
Revises: 0010
Create Date: 2026-11-25 03:05:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "visitor_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("visitor_id", sa.String(), nullable=False),
        sa.Column("expires_at", journey.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_visitor_codes")),
    )
    op.create_index(op.f("ix_visitor_codes_expires_at"), "visitor_codes", ["expires_at"], unique=False)
    op.create_index(op.f("ix_visitor_codes_visitor_id"), "visitor_codes", ["visitor_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_visitor_codes_visitor_id"), table_name="visitor_codes")
    op.drop_index(op.f("ix_visitor_codes_expires_at"), table_name="visitor_codes")
    op.drop_table("visitor_codes")
