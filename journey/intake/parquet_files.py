"""Parquet of any types, read in batches; text is made of it later, and only where text is meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from journey.errors import UnreadableFile
from journey.intake.sources import Batch

BATCH = 200_000


class ParquetFile:
    """One Parquet file; columns that the layout does not know are not even read."""

    def __init__(self, path: Path, known: Collection[str]) -> None:
        """Open the file and read its footer.

        Raises:
            UnreadableFile: it is no Parquet file, or not a whole one.
        """
        self.path, self.name = path, path.name
        try:
            with pq.ParquetFile(path) as file:
                self.columns = list(file.schema_arrow.names)
                self.total: int | None = file.metadata.num_rows
        except (pa.ArrowException, OSError) as problem:
            raise _unreadable(path, problem) from problem
        self._wanted = [name for name in self.columns if name in known]

    def batches(self) -> Iterator[Batch]:
        """The rows; ``lines`` counts them from 1."""
        first = 1
        try:
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=1 << 20) as file:
                for piece in file.iter_batches(batch_size=BATCH, columns=self._wanted, use_threads=False):
                    frame = pl.from_arrow(pa.Table.from_batches([piece]).combine_chunks())
                    assert isinstance(frame, pl.DataFrame)
                    lines = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
                    first += frame.height
                    yield Batch(frame.rechunk(), lines)
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as problem:
            raise _unreadable(self.path, problem) from problem


def _unreadable(path: Path, problem: Exception) -> UnreadableFile:
    reason = " ".join(str(problem).split())[:200]
    return UnreadableFile(
        f"is not a whole Parquet file ({reason})", where=str(path), what_to_do="copy or write it again"
    )
