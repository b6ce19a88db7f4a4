"""The only reader and writer of model files: arrays as npy, id tables, a manifest; no pickle.

A version is one folder under HOME/models, complete or absent: it is written beside its place, flushed to disk and
renamed. `registry` decides which version is in use.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from journey.errors import Unavailable
from recommender.id_table import IdTable, as_table
from recommender.provenance import code_version
from recommender.trained import ItemNeighbours, RankedLists, SessionModel, TrainedModel

FORMAT = 1
MANIFEST = "manifest.json"
LIBRARIES = ("numpy", "scipy", "polars", "implicit", "lightfm-next", "lightgbm", "scikit-learn")
TABLES = ("product_ids", "customer_ids", "store_ids")
LISTS = ("ahead", "cold")
NEIGHBOURS = ("copurchase", "coview")


class UnusableModel(Unavailable):
    """A model's files are missing, damaged or of another format; `where` names the file."""


def write_model(models: Path, model: TrainedModel, *, now: datetime) -> str:
    """Write a new version under `models` and return its name, made of the time and a digest of its content.

    Raises:
        ValueError: ids that are not ascending, or arrays that do not fit together.
    """
    models.mkdir(parents=True, exist_ok=True)
    partial = models / f".partial-{os.getpid()}-{now:%Y%m%d%H%M%S%f}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        files = {name: _write_array(partial / f"{name}.npy", array) for name, array in _arrays(model)}
        content = hashlib.sha256("".join(sorted(f"{n}:{f['sha256']}\n" for n, f in files.items())).encode()).hexdigest()
        version = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{content[:8]}"
        manifest = {
            "format": FORMAT,
            "version": version,
            "created_at": now.astimezone(UTC).isoformat(),
            "cut_off": model.cut_off.astimezone(UTC).isoformat(),
            "rows": model.rows,
            "seed": model.seed,
            "products": len(model.product_ids),
            "customers": len(model.customer_ids),
            "stores": len(model.store_ids),
            "parameters": dict(model.parameters),
            "metrics": dict(model.metrics),
            "stage_seconds": dict(model.stage_seconds),
            "sessions": None if model.sessions is None else dict(model.sessions.settings),
            "content": content,
            "data": dict(model.data),
            "code": code_version(),
            "files": files,
            "libraries": _library_versions(),
        }
        _write_text(partial / MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1, default=_plain) + "\n")
        _flush_folder(partial)
        place = models / version
        if place.exists():  # the same content within the same second: the same model
            shutil.rmtree(partial)
        else:
            partial.rename(place)
            _flush_folder(models)
        return version
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of one version.

    Raises:
        UnusableModel: it is missing or no JSON object of this format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _unusable(path, "the file is missing") from error
    except (OSError, ValueError) as error:
        raise _unusable(path, f"the file cannot be read ({error})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _unusable(path, f"the manifest is not of format {FORMAT}")
    return manifest


def read_model(folder: Path, *, verify: bool = True) -> TrainedModel:
    """One version with its arrays memory-mapped; `verify` compares every file with its checksum first.

    Raises:
        UnusableModel: names the file that is missing or damaged.
    """
    manifest = read_manifest(folder)
    arrays: dict[str, NDArray[Any]] = {}
    try:
        for name, facts in manifest["files"].items():
            arrays[name] = _read_array(folder / f"{name}.npy", facts, verify=verify)
        tables: dict[str, Any] = {n: IdTable(arrays[f"{n}.blob"], arrays[f"{n}.offsets"]) for n in TABLES}
        parts: dict[str, Any] = {n: RankedLists(*(arrays[f"{n}.{f.name}"] for f in fields(RankedLists))) for n in LISTS}
        for n in NEIGHBOURS:
            parts[n] = ItemNeighbours(*(arrays[f"{n}.{f.name}"] for f in fields(ItemNeighbours)))
        settings = manifest["sessions"]
        return TrainedModel(
            cut_off=datetime.fromisoformat(manifest["cut_off"]),
            **tables,
            **parts,
            parameters=manifest["parameters"],
            metrics=manifest["metrics"],
            stage_seconds=manifest["stage_seconds"],
            rows=manifest["rows"],
            seed=manifest["seed"],
            sessions=None if settings is None else SessionModel(_under(arrays, "sessions."), settings),
            arrays=_under(arrays, "extra."),
            data=manifest.get("data", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise _unusable(folder / MANIFEST, f"the manifest does not describe a whole model ({error})") from error


def read_id_table(folder: Path, name: str) -> IdTable:
    """One table of ids of a version.

    Raises:
        UnusableModel: names the file that is missing or damaged.
    """
    files = read_manifest(folder)["files"]
    parts = (f"{name}.blob", f"{name}.offsets")
    return IdTable(*(_read_array(folder / f"{part}.npy", files[part], verify=False) for part in parts))


def rewrite_id_table(folder: Path, name: str, table: IdTable) -> None:
    """Replace a table of ids and its checksums in a version that is there; the rest of it stays as it was.

    The files are written beside their places and renamed one after the other: who maps the old ones keeps them.
    """
    manifest = read_manifest(folder)
    fresh = []
    for part, array in ((f"{name}.blob", table.blob), (f"{name}.offsets", table.offsets)):
        beside = folder / f".fresh-{part}.npy"
        manifest["files"][part] = _write_array(beside, array)
        fresh.append((beside, folder / f"{part}.npy"))
    beside = folder / f".fresh-{MANIFEST}"
    _write_text(beside, json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    for new, place in (*fresh, (beside, folder / MANIFEST)):
        new.replace(place)
    _flush_folder(folder)


def _arrays(model: TrainedModel) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in TABLES:
        table = as_table(getattr(model, name))
        yield f"{name}.blob", table.blob
        yield f"{name}.offsets", table.offsets
    rows = {"ahead": len(model.customer_ids), "cold": len(model.store_ids) + 1}
    for name in (*LISTS, *NEIGHBOURS):
        part = getattr(model, name)
        expected = rows.get(name, len(model.product_ids))
        if len(part) != expected:
            raise ValueError(f"{name} has {len(part)} rows, not {expected}")
        for column in fields(part):
            array = getattr(part, column.name)
            if column.name != "indptr" and len(array) != int(part.indptr[-1]):
                raise ValueError(f"{name}.{column.name} has {len(array)} entries, not {int(part.indptr[-1])}")
            yield f"{name}.{column.name}", array
    if model.sessions is not None:
        yield from ((f"sessions.{name}", array) for name, array in model.sessions.arrays.items())
    yield from ((f"extra.{name}", array) for name, array in model.arrays.items())


def _under(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _write_array(path: Path, array: NDArray[Any]) -> dict[str, Any]:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {"sha256": _digest(path), "bytes": path.stat().st_size}


def _read_array(path: Path, facts: Mapping[str, Any], *, verify: bool) -> NDArray[Any]:
    try:
        if path.stat().st_size != facts["bytes"]:
            raise _unusable(path, f"the file has {path.stat().st_size} bytes instead of {facts['bytes']}")
        if verify and _digest(path) != facts["sha256"]:
            raise _unusable(path, "the file differs from its checksum")
        # Empty files cannot be mapped; reading them costs nothing.
        # A plain view of the map: NumPy's own memmap class makes every slice several times dearer.
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except FileNotFoundError as error:
        raise _unusable(path, "the file is missing") from error
    except (OSError, ValueError) as error:
        raise _unusable(path, f"the file is damaged ({error})") from error
    return array


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unusable(path: Path, what: str) -> UnusableModel:
    return UnusableModel(what, where=str(path), what_to_do="promote another version, or train again: osusume train")


def _write_text(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} does not belong into a manifest")


def _library_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
