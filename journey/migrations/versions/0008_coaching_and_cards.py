"""Know-how cards and their uses, contests of outcomes, coaching

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

import journey.database

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "coaching_entries",
        sa.Column("entry_id", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("author_name", sa.String(), nullable=False),
        sa.Column("written_at", journey.database.Instant(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=True),
        sa.Column("target", sa.Double(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_at", journey.database.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_coaching_entries")),
    )
    with op.batch_alter_table("coaching_entries", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_coaching_entries_clerk_id_written_at"), ["clerk_id", "written_at"], unique=False
        )

    op.create_table(
        "know_how_cards",
        sa.Column("card_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("talk_line", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("practice", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("product_id", sa.String(), nullable=True),
        sa.Column("situation", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("made_at", journey.database.Instant(), nullable=False),
        sa.Column("live_at", journey.database.Instant(), nullable=True),
        sa.Column("retired_at", journey.database.Instant(), nullable=True),
        sa.Column("retired_why", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_know_how_cards")),
    )
    with op.batch_alter_table("know_how_cards", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_know_how_cards_state"), ["state"], unique=False)

    op.create_table(
        "know_how_uses",
        sa.Column("use_id", sa.String(), nullable=False),
        sa.Column("card_id", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("suggestion_id", sa.String(), nullable=True),
        sa.Column("used_at", journey.database.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("use_id", name=op.f("pk_know_how_uses")),
    )
    with op.batch_alter_table("know_how_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_know_how_uses_card_id_clerk_id"), ["card_id", "clerk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_know_how_uses_clerk_id"), ["clerk_id"], unique=False)

    op.create_table(
        "outcome_contests",
        sa.Column("contest_id", sa.String(), nullable=False),
        sa.Column("outcome_id", sa.String(), nullable=False),
        sa.Column("suggestion_id", sa.String(), nullable=False),
        sa.Column("clerk_id", sa.String(), nullable=False),
        sa.Column("store_id", sa.String(), nullable=False),
        sa.Column("recorded", sa.String(), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("opened_at", journey.database.Instant(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", journey.database.Instant(), nullable=True),
        sa.Column("answer", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("contest_id", name=op.f("pk_outcome_contests")),
    )
    with op.batch_alter_table("outcome_contests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outcome_contests_clerk_id"), ["clerk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outcome_contests_store_id_state"), ["store_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_outcome_contests_suggestion_id"), ["suggestion_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("outcome_contests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outcome_contests_suggestion_id"))
        batch_op.drop_index(batch_op.f("ix_outcome_contests_store_id_state"))
        batch_op.drop_index(batch_op.f("ix_outcome_contests_clerk_id"))

    op.drop_table("outcome_contests")
    with op.batch_alter_table("know_how_uses", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_know_how_uses_clerk_id"))
        batch_op.drop_index(batch_op.f("ix_know_how_uses_card_id_clerk_id"))

    op.drop_table("know_how_uses")
    with op.batch_alter_table("know_how_cards", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_know_how_cards_state"))

    op.drop_table("know_how_cards")
    with op.batch_alter_table("coaching_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_coaching_entries_clerk_id_written_at"))

    op.drop_table("coaching_entries")
