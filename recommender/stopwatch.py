"""Where the time of a run goes, stage by stage."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

Progress = Callable[[str, float], None]
"""Called as a stage begins, with its name and the seconds so far."""


@dataclass
class Stopwatch:
    """Seconds by stage; `progress` hears of every stage as it begins."""

    progress: Progress | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Adds the time of the block to the stage."""
        if self.progress is not None:
            self.progress(name, round(sum(self.seconds.values()), 3))
        begin = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + perf_counter() - begin, 3)
