"""The truth beside the extract: what an analysis should find."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from journey.simulation.days import DAY_SECONDS
from journey.simulation.laws import Laws


def write_truth(directory: Path, tables: dict[str, pl.DataFrame], laws: Laws, setting: dict[str, object]) -> None:
    """Writes ``DIR/truth/*.csv`` and ``laws.json``."""
    folder = directory / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.csv", float_precision=6)
    document = {"setting": setting, "laws": asdict(laws), "day_seconds": DAY_SECONDS}
    (folder / "laws.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
