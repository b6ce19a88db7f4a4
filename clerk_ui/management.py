"""What the pages of managers and the CoE share: the menu by role, and CSV downloads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Flask, Response

from clerk_ui.auth.callers import caller
from clerk_ui.languages import t
from journey.sign_ins import Person

# name → (address, text, icon, roles)
PLACES = {
    "team": ("/store/", "management.team", "people", ("manager", "coe", "admin")),
    "models": ("/coe/", "management.models", "model", ("coe", "admin")),
    "data": ("/coe/data", "management.data", "table", ("coe", "admin")),
}


def init_app(app: Flask) -> None:
    """Give the templates of these pages their globals."""
    app.jinja_env.globals.update(signed_in=signed_in)


def signed_in() -> Person:
    """The person whose page this is; pages are guarded by ``require_role``, so there is one."""
    person = caller().person
    assert person is not None
    return person


def frame(here: str) -> dict[str, Any]:
    """The context of the frame of a page: the menu with the current entry, and who is signed in."""
    return {"places": places_for(signed_in(), here), "person": signed_in()}


def places_for(person: Person, here: str) -> list[dict[str, Any]]:
    """The entries of the menu that a person may open."""
    return [
        {"href": href, "text": t(text), "icon": icon, "current": name == here}
        for name, (href, text, icon, roles) in PLACES.items()
        if person.role in roles
    ]


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """A download that spreadsheet programs read as UTF-8, also on Windows in Japan."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: _harmless(row.get(column)) for column in columns})
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, whoever wrote it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
