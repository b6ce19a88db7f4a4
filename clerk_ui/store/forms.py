"""Fields of the forms on staff pages."""

from __future__ import annotations

from flask import request

from journey.errors import InputError


def line(name: str, most: int = 200) -> str:
    """A text of the form, trimmed.

    Raises:
        InputError: it is too long, or holds what no database stores.
    """
    text = request.form.get(name, "").strip()
    if len(text) > most or "\x00" in text:
        raise InputError(f"has {len(text)} characters", where=name, what_to_do=f"write {most} at most")
    return text


def optional(name: str, most: int = 200) -> str | None:
    """The same, None where it is empty."""
    return line(name, most) or None


def number(name: str) -> float:
    """A number of the form. Raises InputError."""
    text = line(name)
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no number", where=name, what_to_do="write a number such as 90") from error
