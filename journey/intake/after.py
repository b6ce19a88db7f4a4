"""What new rows entail elsewhere: links move anonymous facts, taps supersede taps, merges join persons."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from journey import identity, outcomes
from journey.intake.known import Known
from journey.intake.layout import Layout
from journey.intake.staging import Stage
from journey.linking import assign_by_identifier


def merged(connection: Connection, layout: Layout, stage: Stage, frame: pl.DataFrame, known: Known) -> int:
    """Apply the consequences of a merged batch; returns how many facts moved to another customer."""
    if layout.name == "identities":
        known.forget()
        return sum(
            assign_by_identifier(connection, str(kind), part["value"].to_list())
            for (kind,), part in frame.group_by("kind", maintain_order=True)
        )
    if layout.name == "merges":
        people = pl.concat([frame["survivor_id"], frame["merged_id"]]).unique().to_list()
        moved = identity.apply_merges(connection, people)
        known.forget()
        return moved
    if layout.name == "erasures":
        known.forget()
    if layout.name == "outcomes":
        outcomes.mark_current(connection, frame["suggestion_id"].unique().to_list())
    return 0
