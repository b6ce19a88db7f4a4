"""What new rows entail elsewhere: links move anonymous facts, taps supersede taps, merges join persons."""

from __future__ import annotations

import polars as pl
from sqlalchemy import Connection

from journey import identity, outcomes
from journey.fact_days import mark_days
from journey.intake.known import Known
from journey.intake.layout import Layout
from journey.intake.times import local_days
from journey.linking import assign_by_identifier


def merged(connection: Connection, layout: Layout, frame: pl.DataFrame, known: Known) -> int:
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
    if layout.name == "stores" and "timezone" in frame.columns:
        for store, zone in frame.select("store_id", "timezone").drop_nulls().iter_rows():
            _refile(connection, store, zone)
    if layout.name == "erasures":
        known.forget()
    if layout.name == "outcomes":
        outcomes.mark_current(connection, frame["suggestion_id"].unique().to_list())
    return 0


def _refile(connection: Connection, store: str, zone: str) -> None:
    """Sales that came before their store's zone was known move to the store's own days."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    found = connection.exec_driver_sql(
        f"SELECT DISTINCT sold_at, local_day FROM pos_lines WHERE store_id = {mark}", (store,)
    ).all()
    if not found:
        return
    moments = pl.Series([moment for moment, _ in found], dtype=pl.Int64)
    days = pl.DataFrame({"moment": moments, "old": [day for _, day in found], "new": local_days(moments, zone)})
    moved = days.filter(pl.col("old") != pl.col("new"))
    if moved.is_empty():
        return
    connection.exec_driver_sql(
        f"UPDATE pos_lines SET local_day = {mark} WHERE store_id = {mark} AND sold_at = {mark}",
        [(day, store, moment) for moment, day in moved.select("moment", "new").iter_rows()],
    )
    mark_days(connection, "pos_lines", {*moved["old"].to_list(), *moved["new"].to_list()})
