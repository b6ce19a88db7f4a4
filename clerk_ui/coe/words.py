"""The words of the analyses on the screens: touchpoints, themes, KPIs, segments, and the notes of the reports."""

from __future__ import annotations

import re
from functools import lru_cache
from string import Formatter

from flask import Flask

from clerk_ui.languages import catalogue, current_language, t

KPI_KINDS = ("csat", "theme", "complaint")


def init_app(app: Flask) -> None:
    """Give the templates these words."""
    app.jinja_env.globals.update(word=word, measure_name=measure_name, note_text=note_text)


def word(kind: str, name: str | None) -> str:
    """The word for a name of a kind (touchpoint, theme, segment …); the name itself where there is none."""
    if name is None or name == "":
        return "–"
    return catalogue(current_language()).get(f"cx.{kind}_{name}", name)


def measure_name(name: str) -> str:
    """A KPI or measure in words: ``csat:store`` is the satisfaction with the store."""
    plain, _, survey = name.partition("@")
    kind, _, about = plain.partition(":")
    if kind in KPI_KINDS and about:
        noun = word("touchpoint" if kind == "csat" else "theme", about)
        text = t(f"cx.measure_{kind}", name=noun)
    else:
        text = word("kpi", plain)
    return f"{text} ({survey})" if survey else text


def note_text(note: str) -> tuple[str, str]:
    """A note of a report in the language of the page, and the language it is in.

    The reports write English sentences; the English catalogue holds the same sentences with placeholders, so that a
    sentence is recognised and written again in Japanese.
    """
    for key, pattern in _note_patterns():
        found = pattern.fullmatch(note)
        if found:
            return t(key, **found.groupdict()), current_language()
    return note, "en"


@lru_cache(maxsize=1)
def _note_patterns() -> list[tuple[str, re.Pattern[str]]]:
    return [(key, _pattern(text)) for key, text in sorted(catalogue("en").items()) if key.startswith("cx.note_")]


def _pattern(text: str) -> re.Pattern[str]:
    parts = []
    for literal, field, _, _ in Formatter().parse(text):
        parts.append(re.escape(literal))
        if field is not None:
            parts.append(f"(?P<{field}>.+?)")
    return re.compile("".join(parts), re.DOTALL)
