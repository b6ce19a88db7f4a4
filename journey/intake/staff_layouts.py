"""What managers and clerks write about their work, as tables of the extract."""

from __future__ import annotations

from journey import coaching, contests, know_how_cards
from journey.intake.column_kinds import clerk, identifier, key, number, store, table_of, time
from journey.intake.layout import Column, Kind, Layout

KNOW_HOW_CARDS = Layout(
    "know_how_cards",
    table_of(know_how_cards.KnowHowCard),
    (
        key("card_id"),
        store(),
        Column("title", required=True),
        Column("talk_line", required=True),
        Column("how", default=""),
        Column("practice"),
        Column("category"),
        identifier("product_id"),
        Column("situation", required=True, choices=know_how_cards.SITUATIONS),
        Column("state", required=True, choices=know_how_cards.STATES),
        Column("evidence", Kind.OBJECT),
        identifier("made_by", required=True),
        time("made_at", required=True),
        time("live_at"),
        time("retired_at"),
        Column("retired_why"),
    ),
    updates=None,
)

KNOW_HOW_USES = Layout(
    "know_how_uses",
    table_of(know_how_cards.KnowHowUse),
    (
        key("use_id"),
        identifier("card_id", required=True),
        clerk(required=True),
        store(required=True),
        Column("kind", required=True, choices=know_how_cards.USES),
        identifier("suggestion_id"),
        time("used_at", required=True),
    ),
)

OUTCOME_CONTESTS = Layout(
    "outcome_contests",
    table_of(contests.OutcomeContest),
    (
        key("contest_id"),
        identifier("outcome_id", required=True),
        identifier("suggestion_id", required=True),
        clerk(required=True),
        store(required=True),
        Column("recorded", required=True),
        Column("wish", required=True, choices=contests.WISHES),
        Column("reason", default=""),
        time("opened_at", required=True),
        Column("state", required=True),
        identifier("decided_by"),
        time("decided_at"),
        Column("answer"),
    ),
    updates=frozenset({"state", "decided_by", "decided_at", "answer"}),
)

COACHING_ENTRIES = Layout(
    "coaching_entries",
    table_of(coaching.CoachingEntry),
    (
        key("entry_id"),
        clerk(required=True),
        store(required=True),
        Column("kind", required=True, choices=coaching.KINDS),
        identifier("author", required=True),
        Column("author_name", required=True),
        time("written_at", required=True),
        Column("text", required=True),
        Column("measure", choices=coaching.MEASURES),
        number("target"),
        Column("due_on", Kind.DATE),
        time("done_at"),
    ),
    fills=frozenset({"done_at"}),
)
