"""Roll-ups: sums per clerk and day, the kept case mix, standings

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "case_mix_models",
        sa.Column("model_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("fitted_at", journey.database.Instant(), nullable=False),
        sa.Column("proposals", sa.Integer(), nullable=False),
        sa.Column("definition", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("model_id", name=op.f("pk_case_mix_models")),
    )
    op.create_table(
        "clerk_handling_days",
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("attended", sa.Integer(), nullable=False),
        sa.Column("waited_seconds", sa.Double(), nullable=False),
        sa.Column("follow_ups", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("survey_n", sa.Integer(), nullable=False),
        sa.Column("survey_sum", sa.Double(), nullable=False),
        sa.Column("focus_first_purchases", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("clerk_id", "day", "store_id", name=op.f("pk_clerk_handling_days")),
    )
    with op.batch_alter_table("clerk_handling_days", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clerk_handling_days_day"), ["day"], unique=False)

    op.create_table(
        "clerk_proposal_days",
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("services", sa.Integer(), nullable=False),
        sa.Column("identified", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("recorded", sa.Integer(), nullable=False),
        sa.Column("proposed", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("first_purchases", sa.Integer(), nullable=False),
        sa.Column("offset_1", sa.Double(), nullable=False),
        sa.Column("offset_2", sa.Double(), nullable=False),
        sa.Column("offset_3", sa.Double(), nullable=False),
        sa.Column("offset_4", sa.Double(), nullable=False),
        sa.Column("offset_5", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("clerk_id", "day", "store_id", "category", name=op.f("pk_clerk_proposal_days")),
    )
    with op.batch_alter_table("clerk_proposal_days", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clerk_proposal_days_day"), ["day"], unique=False)
        batch_op.create_index(batch_op.f("ix_clerk_proposal_days_store_id_day"), ["store_id", "day"], unique=False)

    op.create_table(
        "rolled_days",
        sa.Column("rollup", sa.String(), nullable=False),
        sa.Column("table_name", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rollup", "table_name", "day", name=op.f("pk_rolled_days")),
    )
    op.create_table(
        "rollup_runs",
        sa.Column("rollup", sa.String(), nullable=False),
        sa.Column("ran_at", journey.database.Instant(), nullable=False),
        sa.Column("through", sa.Date(), nullable=False),
        sa.Column("memory", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("rollup", name=op.f("pk_rollup_runs")),
    )
    op.create_table(
        "staff_standings",
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("first_day", "last_day", "clerk_id", name=op.f("pk_staff_standings")),
    )


def downgrade() -> None:
    op.drop_table("staff_standings")
    op.drop_table("rollup_runs")
    op.drop_table("rolled_days")
    with op.batch_alter_table("clerk_proposal_days", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clerk_proposal_days_store_id_day"))
        batch_op.drop_index(batch_op.f("ix_clerk_proposal_days_day"))

    op.drop_table("clerk_proposal_days")
    with op.batch_alter_table("clerk_handling_days", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clerk_handling_days_day"))

    op.drop_table("clerk_handling_days")
    op.drop_table("case_mix_models")
