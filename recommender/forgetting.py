"""Makes erased persons unreadable in model files, without training again.

A customer's row in a model is numbers; what names the person is the table of ids. There the id is replaced by a
tombstone that nobody can ask for and that keeps the order in which ids are searched: the id before it followed by NUL,
which the importer refuses in ids.
"""

from __future__ import annotations

from collections.abc import Collection

from recommender.artefacts import UnusableModel, read_id_table, rewrite_id_table
from recommender.id_table import IdTable
from recommender.registry import Registry

TOMBSTONE = "\x00"


def forget_customers(registry: Registry, customer_ids: Collection[str]) -> int:
    """Replace these ids in every version, also in those that no longer serve; returns in how many they were.

    Workers read the version in use again; a version that cannot be read is left, nobody can serve it either.
    """
    changed = 0
    for manifest in registry.versions():
        folder = registry.models / manifest["version"]
        try:
            table = read_id_table(folder, "customer_ids")
        except UnusableModel:
            continue
        places = {place for customer in customer_ids if (place := table.find(customer)) >= 0}
        if places:
            rewrite_id_table(folder, "customer_ids", with_tombstones(table, places))
            changed += 1
    if changed:
        registry.announce()
    return changed


def with_tombstones(table: IdTable, places: Collection[int]) -> IdTable:
    """The table with the ids at these places unreadable; all others stay where they are."""
    ids = list(table)
    for place in sorted(places):
        ids[place] = (ids[place - 1] if place else "") + TOMBSTONE
    return IdTable.of(ids)
