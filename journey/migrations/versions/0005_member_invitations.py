"""Invitations to become a member on the own phone

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-25 01:10:00
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "member_invitations",
        sa.Column("invitation_id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=True),
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("created_at", journey.database.Instant(), nullable=False),
        sa.Column("expires_at", journey.database.Instant(), nullable=False),
        sa.Column("opened_at", journey.database.Instant(), nullable=True),
        sa.Column("used_at", journey.database.Instant(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("invitation_id", name=op.f("pk_member_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_invitations_token_hash")),
    )
    op.create_index(op.f("ix_member_invitations_customer_id"), "member_invitations", ["customer_id"], unique=False)
    op.create_index(op.f("ix_member_invitations_expires_at"), "member_invitations", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_member_invitations_expires_at"), table_name="member_invitations")
    op.drop_index(op.f("ix_member_invitations_customer_id"), table_name="member_invitations")
    op.drop_table("member_invitations")
