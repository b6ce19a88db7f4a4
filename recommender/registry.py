"""Which model version is in use: promotion with a guard, rollback, and the history of both."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from journey.errors import Conflict, ModelRefused, NotFound, Unavailable
from recommender.artefacts import MANIFEST, UnusableModel, read_manifest, read_model, write_model
from recommender.trained import TrainedModel

CURRENT = "current"
HISTORY = "history.jsonl"


@dataclass(frozen=True)
class Comparison:
    """Two versions on the same evaluation; larger values are better."""

    evaluation: str
    metric: str
    candidate: float
    current: float


class Registry:
    """The model versions under HOME/models.

    A version may say how good it is in `metrics["guard"] = {"evaluation", "metric", "value"}`, where `evaluation`
    names data, cut-off and protocol; two versions are compared where these agree.
    """

    def __init__(self, home: Path) -> None:
        self.models = home / "models"
        self._pointer = str(self.models / CURRENT)  # asked with every request

    def add(self, model: TrainedModel, *, now: datetime) -> str:
        """Store a version; the first one of an empty registry is promoted at once. Returns its name."""
        version = write_model(self.models, model, now=now)
        if self.current_version() is None:
            self.promote(version, now=now, by="first version")
        return version

    def versions(self) -> list[dict[str, Any]]:
        """Manifests of all versions, oldest first, without their files; `current` marks the one in use."""
        current = self.current_version()
        found = []
        for folder in sorted(self.models.glob("[!.]*/")) if self.models.is_dir() else []:
            try:
                manifest = read_manifest(folder)
            except UnusableModel as error:
                found.append({"version": folder.name, "unusable": error.sentence, "current": folder.name == current})
                continue
            manifest.pop("files")
            found.append(manifest | {"current": folder.name == current})
        return sorted(found, key=lambda manifest: (str(manifest.get("created_at", "")), manifest["version"]))

    def show(self, version: str) -> dict[str, Any]:
        """The whole manifest of a version.

        Raises:
            NotFound: there is no such version.
        """
        folder = self._folder(version)
        return read_manifest(folder) | {"current": version == self.current_version()}

    def load(self, version: str | None = None) -> TrainedModel:
        """A version, by default the current one.

        Raises:
            NotFound: there is no such version.
            Unavailable: nothing has been promoted yet, or the files are unusable.
        """
        version = version or self.current_version()
        if version is None:
            raise Unavailable("no model has been promoted", where=str(self.models), what_to_do="run: osusume train")
        return read_model(self._folder(version))

    def current_version(self) -> str | None:
        """The version in use; None before the first promotion."""
        try:
            return (self.models / CURRENT).read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None

    def pointer(self) -> tuple[int, int]:
        """Changes with every promotion; one stat call. (0, 0) before the first."""
        try:
            status = os.stat(self._pointer)
        except FileNotFoundError:
            return 0, 0
        return status.st_mtime_ns, status.st_ino

    def state_of(self, version: str) -> tuple[int, int]:
        """Changes whenever a version's files were rewritten, as after an erasure; (0, 0) where it is not there."""
        try:
            status = os.stat(self.models / version / MANIFEST)
        except FileNotFoundError:
            return 0, 0
        return status.st_mtime_ns, status.st_ino

    def announce(self) -> None:
        """Have every worker look again at the version in use, though it is the same one."""
        with self._locked():
            if (current := self.current_version()) is not None:
                self._point_to(current)

    def history(self) -> list[dict[str, Any]]:
        """Promotions, refusals and rollbacks, oldest first: at, action, version, before, forced, by, why, comparison.

        A refusal names the version that was kept out; `before` is the one that stayed.
        """
        try:
            lines = (self.models / HISTORY).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in lines if line.strip()]

    def promote(
        self, version: str, *, now: datetime, force: bool = False, by: str = "", why: str = "",
        comparison: Comparison | None = None,
    ) -> None:  # fmt: skip
        """Put a version into use. `comparison` is a fresh measurement of both; without it the manifests speak.

        `why` is the reason of a forced promotion; it stays in the history, as a refusal does.

        Raises:
            NotFound: there is no such version.
            UnusableModel: its files are missing or damaged.
            ModelRefused: it is worse than the current one on the same evaluation and `force` is not set.
        """
        folder = self._folder(version)
        read_model(folder)
        with self._locked():
            before = self.current_version()
            if before is not None and before != version:
                comparison = comparison or self._compare(version, before)
            worse = comparison is not None and comparison.candidate < comparison.current
            if comparison is not None and worse and not force:
                self._log(now, "refuse", version, before, by, comparison=comparison)
                raise ModelRefused(
                    f"{comparison.metric} is {comparison.candidate:.4f} against {comparison.current:.4f} "
                    f"of the current version {before} on {comparison.evaluation}",
                    where=version,
                    what_to_do="keep the current version, or promote with --force",
                    candidate=comparison.candidate,
                    current=comparison.current,
                    metric=comparison.metric,
                )
            self._point_to(version)
            self._log(now, "promote", version, before, by, forced=worse, why=why, comparison=comparison)

    def rollback(self, *, now: datetime, by: str = "") -> str:
        """Return to the version that was in use before the current one; returns its name.

        Raises:
            Conflict: there is no earlier usable version.
        """
        with self._locked():
            before = self.current_version()
            for version in self.earlier_versions():
                try:
                    read_model(self._folder(version))
                except (NotFound, UnusableModel):
                    continue
                self._point_to(version)
                self._log(now, "rollback", version, before, by)
                return version
        raise Conflict(
            "there is no earlier version to return to", where=str(self.models), what_to_do="run: osusume models list"
        )

    def earlier_versions(self) -> list[str]:
        """Versions that were in use before the current one, latest first; those rolled back from are left out."""
        stack: list[str] = []
        for entry in self.history():
            if entry["action"] == "refuse":
                continue
            if entry["action"] == "rollback" and entry["version"] in stack:
                del stack[stack.index(entry["version"]) + 1 :]
            elif not stack or stack[-1] != entry["version"]:
                stack.append(entry["version"])
        current = self.current_version()
        return [version for version in reversed(stack) if version != current]

    def prune(self, keep: int) -> list[str]:
        """Delete all but the newest `keep` versions, never the current one nor the one to roll back to."""
        with self._locked():
            spared = {self.current_version(), *self.earlier_versions()[:1]}
            names = [manifest["version"] for manifest in self.versions()]
            gone = [name for name in names[: max(0, len(names) - keep)] if name not in spared]
            for name in gone:
                hidden = self.models / f".gone-{name}"
                (self.models / name).rename(hidden)  # out of sight at once, whatever becomes of the rest
                shutil.rmtree(hidden)
        return gone

    def _compare(self, version: str, before: str) -> Comparison | None:
        try:
            old = read_manifest(self.models / before)["metrics"].get("guard")
        except UnusableModel:
            return None  # whatever can be read is better than what cannot
        new = read_manifest(self.models / version)["metrics"].get("guard")
        if not old or not new or (old["evaluation"], old["metric"]) != (new["evaluation"], new["metric"]):
            return None
        return Comparison(new["evaluation"], new["metric"], float(new["value"]), float(old["value"]))

    def _folder(self, version: str) -> Path:
        folder = self.models / version
        if "/" in version or version.startswith(".") or not folder.is_dir():
            raise NotFound(f"no model version {version}", where=str(self.models), what_to_do="run: osusume models list")
        return folder

    def _point_to(self, version: str) -> None:
        fresh = self.models / f".{CURRENT}-{os.getpid()}"
        with fresh.open("w", encoding="utf-8") as file:
            file.write(version + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.models / CURRENT)

    def _log(
        self, now: datetime, action: str, version: str, before: str | None, by: str, *, forced: bool = False,
        why: str = "", comparison: Comparison | None = None,
    ) -> None:  # fmt: skip
        entry = {
            "at": now.astimezone(UTC).isoformat(),
            "action": action,
            "version": version,
            "before": before,
            "by": by,
            "forced": forced,
            "why": why,
            "comparison": None if comparison is None else vars(comparison),
        }
        with (self.models / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.models.mkdir(parents=True, exist_ok=True)
        with (self.models / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
