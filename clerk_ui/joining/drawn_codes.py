"""Codes as paths of an SVG, one unit a module: QR for a phone's camera, JAN for the scanners of counter and till.

Paths and not whole pictures: they need no inline style, and light and dark are the page's own business.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

import segno

QUIET_QR, QUIET_JAN = 4, 11
# ISO/IEC 15420: the left digits in codes of odd parity; those of even parity are the right-hand ones read backwards
ODD = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
FIRST = ("OOOOOO", "OOEOEE", "OOEEOE", "OOEEEO", "OEOOEE", "OEEOOE", "OEEEOO", "OEOEOE", "OEOEEO", "OEEOEO")
GUARD, MIDDLE = "101", "01010"


@dataclass(frozen=True)
class DrawnCode:
    """The dark modules as one path, and the size of the picture with its quiet zone."""

    width: int
    height: int
    path: str


def qr(text: str) -> DrawnCode:
    """A QR code (ISO/IEC 18004) of medium error correction."""
    rows = [[bool(cell) for cell in row] for row in segno.make(text, error="m", micro=False).matrix]
    size = len(rows) + 2 * QUIET_QR
    return DrawnCode(size, size, "".join(_bars(row, QUIET_QR, y + QUIET_QR, 1) for y, row in enumerate(rows)))


def jan(code: str, height: int = 50) -> DrawnCode:
    """A JAN/EAN-13 of thirteen digits."""
    modules = [one == "1" for one in jan_modules(code)]
    return DrawnCode(len(modules) + 2 * QUIET_JAN, height, _bars(modules, QUIET_JAN, 0, height))


def jan_modules(code: str) -> str:
    """The 95 modules of a JAN/EAN-13, dark ones as 1."""
    first, left, right = int(code[0]), code[1:7], code[7:]
    halves = "".join(
        ODD[int(digit)] if parity == "O" else _mirrored(ODD[int(digit)])
        for digit, parity in zip(left, FIRST[first], strict=True)
    )
    return GUARD + halves + MIDDLE + "".join(_inverted(ODD[int(digit)]) for digit in right) + GUARD


def _inverted(modules: str) -> str:
    return modules.translate(str.maketrans("01", "10"))


def _mirrored(modules: str) -> str:
    return _inverted(modules)[::-1]


def _bars(row: list[bool], left: int, top: int, height: int) -> str:
    path, x = "", left
    for dark, run in groupby(row):
        width = len(list(run))
        path += f"M{x} {top}h{width}v{height}h-{width}z" if dark else ""
        x += width
    return path
