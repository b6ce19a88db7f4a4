"""Where a version comes from: the data it learnt from and the code that made it, as digests that can be compared."""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # serving reads model files without them
    import polars as pl

    from recommender.acceptance import Answered
    from recommender.baskets import BasketTable
    from recommender.dataset import Dataset

SHORT = 16


def fingerprint(dataset: Dataset) -> dict[str, dict[str, Any]]:
    """Rows and SHA-256 of each source as training sees it, up to the cut-off: the same data give the same digests.

    Till lines are counted as training merges them (one per basket and product), web events as far as they name a
    product, masters as far as their rows are known to the version.
    """
    return {
        "carded_lines": _told(len(dataset.carded.product), _basket_arrays(dataset.carded), dataset.customer_ids),
        "uncarded_lines": _told(len(dataset.uncarded.product), _basket_arrays(dataset.uncarded), dataset.store_ids),
        "web_events": _told(len(dataset.web), vars(dataset.web).values(), ()),
        "answered": _told(len(dataset.answered), _answered_arrays(dataset.answered), ()),
        "products": _table(dataset.products),
        "customers": _table(dataset.customers),
    }


def code_version() -> dict[str, str]:
    """The product's version, and a digest of the sources that make a model."""
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for file in sorted(here.rglob("*.py")):
        digest.update(f"{file.relative_to(here).as_posix()}\0".encode() + file.read_bytes() + b"\0")
    return {"osusume": importlib.metadata.version("osusume"), "recommender": digest.hexdigest()[:SHORT]}


def _basket_arrays(baskets: BasketTable) -> Iterable[NDArray[Any]]:
    return vars(baskets).values()


def _answered_arrays(answered: Answered) -> Iterable[NDArray[Any]]:
    counts = np.array(answered.elsewhere, np.int64)
    return answered.chance, answered.is_new, answered.web, answered.accepted, counts


def _told(rows: int, arrays: Iterable[NDArray[Any]], ids: Iterable[str]) -> dict[str, Any]:
    digest = hashlib.sha256("\n".join(ids).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).data)
    return {"rows": rows, "sha256": digest.hexdigest()[:SHORT]}


def _table(frame: pl.DataFrame) -> dict[str, Any]:
    written = io.BytesIO()
    frame.select(sorted(frame.columns)).write_csv(written)
    return {"rows": frame.height, "sha256": hashlib.sha256(written.getbuffer()).hexdigest()[:SHORT]}
