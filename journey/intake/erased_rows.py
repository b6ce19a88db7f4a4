"""Keeps erased persons out of the quarantine: their rows come again with every old delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from journey.intake.known import ERASED, Known
from journey.intake.layout import Layout
from journey.intake.quarantine import Rejected


def without_erased(known: Known, layout: Layout, rejected: list[Rejected]) -> list[Rejected]:
    """The rows as they may be kept: facts of erased persons lose the person, their master data are not kept at all."""
    if not known.erasures:
        return rejected
    gone = [False] * len(rejected)
    for name, kinds in _identifying(layout):
        cells = [row.raw.get(name) for row in rejected]
        values = pl.Series([None if cell is None else str(cell) for cell in cells], dtype=pl.String)
        for kind in kinds:
            erased = (known.resolve(kind, values) == ERASED).fill_null(False).to_list()
            gone = [before or now for before, now in zip(gone, erased, strict=True)]
    personal = {name for name, _ in _identifying(layout)} | {
        column.name for column in layout.columns if column.stored in layout.personal
    }
    if layout.name in ("customers", "identities", "merges", "identity_claims", "different_customers"):
        return [row for row, erased in zip(rejected, gone, strict=True) if not erased]
    return [
        replace(row, raw={name: cell for name, cell in row.raw.items() if name not in personal}, reason=_plain(row))
        if erased
        else row
        for row, erased in zip(rejected, gone, strict=True)
    ]


def _identifying(layout: Layout) -> Iterable[tuple[str, tuple[str, ...]]]:
    """The columns that name a person, with the kinds of identifier they may hold."""
    for column in layout.columns:
        if column.refers == "customers" or (layout.name == "customers" and column.key):
            yield column.name, ("customers",)
        elif layout.name == "identities" and column.name == "value":
            yield column.name, ("card", "app", "cookie", "ec_account", "email_hash", "phone_hash")
    yield from layout.identifiers


def _plain(row: Rejected) -> str:
    """The reason without what it quotes of the row."""
    return "; ".join(part.split("'")[0].strip() for part in row.reason.split("; "))
