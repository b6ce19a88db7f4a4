"""Reads and checks the next batch on the other core while this one is written."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress

from journey.intake.checking import Checked
from journey.intake.layout import Layout
from journey.intake.loading import check_batch
from journey.intake.sources import Batch, Source
from journey.intake.times import Zones

Item = tuple[Batch, Checked] | BaseException | None
PATIENCE = 0.2  # seconds between looks at whether the writer gave up


def checked_ahead(layout: Layout, opened: Source, zones: Zones) -> Iterator[tuple[Batch, Checked]]:
    """The checked batches of a file, in order; an error of the reader is raised here."""
    ready: queue.Queue[Item] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def hand_over(item: Item) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=PATIENCE)
                break

    def read() -> None:
        try:
            for batch in opened.batches():
                hand_over((batch, check_batch(layout, batch, zones)))
                if stop.is_set():
                    return
            hand_over(None)
        except BaseException as problem:  # whatever it is, the writer must hear of it
            hand_over(problem)

    reader = threading.Thread(target=read, name=f"read-{layout.name}", daemon=True)
    reader.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        reader.join()
