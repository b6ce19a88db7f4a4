"""The words of the invented chain: names, places, goods and comments, as data files read once."""

from __future__ import annotations

import csv
import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of ``NAME.csv`` in this folder, in file order."""
    text = files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def document(name: str) -> Any:
    """``NAME.json`` in this folder."""
    return json.loads(files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8"))
