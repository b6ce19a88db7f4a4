"""Which master rows, customers and identities are known; where they are not, stubs are made."""

from __future__ import annotations

import json
from collections.abc import Iterable

import polars as pl
from sqlalchemy import Connection, select

from journey.erasures import Erasure, digest
from journey.intake.staging import raw_connection

ERASED = ""  # what an erased identifier resolves to; no id can be empty
MASTERS = ("stores", "clerks", "products")
PAIR = {"id": pl.String, "target": pl.String}


class Known:
    """Ids seen so far with what they resolve to (One ID for customers and identities, themselves for others)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._seen: dict[str, pl.DataFrame] = {}
        self._salts = list(connection.scalars(select(Erasure.salt).distinct()))

    @property
    def erasures(self) -> bool:
        """Whether anybody was ever erased."""
        return bool(self._salts)

    def forget(self) -> None:
        """Look everything up again: links or merges were made."""
        self._seen.clear()
        self._salts = list(self.connection.scalars(select(Erasure.salt).distinct()))

    def resolve(self, kind: str, ids: pl.Series) -> pl.Series:
        """What each id resolves to; null where nothing is known, ``ERASED`` where the person was erased.

        Args:
            kind: a master table (stores, clerks, products, customers), a kind of identity, or suggestions (whose
                store is then the answer).
            ids: ids, nulls among them.
        """
        seen = self._look_up(kind, ids)
        return pl.DataFrame({"id": ids}).join(seen, on="id", how="left", maintain_order="left")["target"]

    def unknown(self, kind: str, ids: pl.Series) -> pl.Series:
        """The distinct ids that nothing is known of."""
        seen = self._look_up(kind, ids)
        unique = pl.DataFrame({"id": ids.drop_nulls().unique(maintain_order=True)})
        missing = unique.join(seen.filter(pl.col("target").is_null()), on="id", how="semi", maintain_order="left")
        return missing["id"]

    def add_stubs(self, table: str, rows: pl.DataFrame) -> None:
        """Write stub master rows, the id in the first column; whoever else writes them at this moment is welcome."""
        if rows.is_empty():
            return
        rows = rows.sort(rows.columns[0])  # one order for all writers, so that no two wait for each other
        names, values = ", ".join(rows.columns), rows.columns
        if self.connection.dialect.name == "postgresql":
            arrays = ", ".join(["%s::text[]"] * len(values))
            statement = f"INSERT INTO {table} ({names}, stub) SELECT {names}, true FROM unnest({arrays}) AS u({names})"
            given = tuple(rows[name].to_list() for name in values)
            self.connection.exec_driver_sql(f"{statement} ON CONFLICT DO NOTHING", given)
        else:
            marks = ", ".join("?" * len(values))
            raw_connection(self.connection).executemany(
                f"INSERT INTO {table} ({names}, stub) VALUES ({marks}, true) ON CONFLICT DO NOTHING", rows.iter_rows()
            )
        ids = rows[:, 0]
        self._put(table, pl.DataFrame({"id": ids, "target": ids}))

    def _put(self, kind: str, pairs: pl.DataFrame) -> None:
        seen = self._seen.get(kind)
        if seen is not None:
            seen = seen.join(pairs, on="id", how="anti")
        self._seen[kind] = pairs if seen is None else pl.concat([seen, pairs])

    def _look_up(self, kind: str, ids: pl.Series) -> pl.DataFrame:
        seen = self._seen.get(kind)
        unique = ids.unique().drop_nulls()
        if seen is None:
            new = unique
            seen = self._seen[kind] = pl.DataFrame(schema=PAIR)
        else:
            new = pl.DataFrame({"id": unique}).join(seen, on="id", how="anti")["id"]
        if len(new):
            found = dict(self._ask(kind, new.to_list()))
            if self._salts and kind not in (*MASTERS, "suggestions"):
                found.update((value, ERASED) for value in self._erased(kind, new.to_list()))
            targets = pl.Series("target", [found.get(value) for value in new.to_list()], dtype=pl.String)
            seen = self._seen[kind] = pl.concat([seen, pl.DataFrame({"id": new, "target": targets})])
        return seen

    def _ask(self, kind: str, values: list[str]) -> Iterable[tuple[str, str]]:
        postgres = self.connection.dialect.name == "postgresql"
        some = "= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(?))"
        given = values if postgres else json.dumps(values)
        if kind == "customers":
            asked = f"SELECT customer_id, coalesce(merged_into, customer_id) FROM customers WHERE customer_id {some}"
        elif kind == "suggestions":
            asked = f"SELECT suggestion_id, store_id FROM suggestions WHERE suggestion_id {some}"
        elif kind in MASTERS:
            key = f"{kind[:-1]}_id"
            asked = f"SELECT {key}, {key} FROM {kind} WHERE {key} {some}"
        else:
            mark = "%s" if postgres else "?"
            asked = f"SELECT value, customer_id FROM identities WHERE kind = {mark} AND value {some}"
            return [(a, b) for a, b in self.connection.exec_driver_sql(asked, (kind, given))]
        return [(a, b) for a, b in self.connection.exec_driver_sql(asked, (given,))]

    def _erased(self, kind: str, values: list[str]) -> list[str]:
        digests = {digest(salt, kind, value): value for salt in self._salts for value in values}
        postgres = self.connection.dialect.name == "postgresql"
        some = "= ANY(%s)" if postgres else "IN (SELECT value FROM json_each(?))"
        given = list(digests) if postgres else json.dumps(list(digests))
        rows = self.connection.exec_driver_sql(f"SELECT digest FROM erasures WHERE digest {some}", (given,))
        return [digests[found] for (found,) in rows]
