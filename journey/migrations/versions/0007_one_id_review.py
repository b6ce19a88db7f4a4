"""One ID review: claims and decisions; where a suggestion was shown

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-25 01:09:48.181786
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "different_customers",
        sa.Column("customer_a", sa.String(), nullable=False),
        sa.Column("customer_b", sa.String(), nullable=False),
        sa.Column("decided_at", journey.database.Instant(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_a", "customer_b", name=op.f("pk_different_customers")),
    )
    with op.batch_alter_table("different_customers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_different_customers_customer_b"), ["customer_b"], unique=False)

    op.create_table(
        "identity_claims",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("customer_ref", sa.String(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("first_at", journey.database.Instant(), nullable=False),
        sa.Column("last_at", journey.database.Instant(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "value", "customer_ref", name=op.f("pk_identity_claims")),
    )
    with op.batch_alter_table("identity_claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_claims_customer_id"), ["customer_id"], unique=False)

    with op.batch_alter_table("suggestions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("channel", sa.String(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("suggestions", schema=None) as batch_op:
        batch_op.drop_column("channel")

    with op.batch_alter_table("identity_claims", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_claims_customer_id"))

    op.drop_table("identity_claims")
    with op.batch_alter_table("different_customers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_different_customers_customer_b"))

    op.drop_table("different_customers")
