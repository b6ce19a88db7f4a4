"""The model a worker serves: noticed when another is promoted, kept when the new one cannot be read."""

from __future__ import annotations

import logging
import threading

from journey.errors import NotFound, Unavailable
from recommender.artefacts import UnusableModel, read_model
from recommender.registry import Registry
from recommender.trained import TrainedModel

LOG = logging.getLogger(__name__)


class ServedModel:
    """Holds one loaded version per worker. `get` costs one stat call while nothing changes.

    Where the promoted version cannot be read, the one in use before is served and `trouble` says why.
    """

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.trouble = ""
        self._pointer: tuple[int, int] = (-1, -1)
        self._loaded: tuple[str, TrainedModel] | None = None
        self._state: tuple[int, int] = (0, 0)
        self._lock = threading.Lock()

    def get(self) -> tuple[str, TrainedModel]:
        """The version's name and the model.

        Raises:
            Unavailable: nothing was promoted yet, or no version that was can be read.
        """
        pointer = self.registry.pointer()
        # While one thread reads a new version, the others go on with what they have.
        if pointer != self._pointer and self._lock.acquire(blocking=self._loaded is None):
            try:
                if pointer != self._pointer:
                    self._load()
                    self._pointer = pointer
            finally:
                self._lock.release()
        if self._loaded is None:
            raise Unavailable(
                self.trouble or "no model has been promoted",
                where=str(self.registry.models),
                what_to_do="run: osusume train",
            )
        return self._loaded

    def _load(self) -> None:
        current = self.registry.current_version()
        if current is None:
            return
        self.trouble = ""
        for version in (current, *self.registry.earlier_versions()):
            state = self.registry.state_of(version)
            if self._loaded is not None and (self._loaded[0], self._state) == (version, state):
                return
            try:
                self._loaded = version, read_model(self.registry.models / version)
                self._state = state
            except (UnusableModel, NotFound) as error:
                LOG.error("model %s cannot be served: %s", version, error.sentence)
                self.trouble = self.trouble or error.sentence
                continue
            return
