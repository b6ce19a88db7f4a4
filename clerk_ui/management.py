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
    "me": ("/store/me", "management.me", "person", ("clerk",)),
    "know_how": ("/store/know-how", "management.know_how", "voice", ("manager", "coe", "admin")),
    "team": ("/store/", "management.team", "people", ("manager", "coe", "admin")),
    "today": ("/store/today", "management.today", "sun", ("manager", "coe", "admin")),
    "staffing": ("/store/staffing", "management.staffing", "clock", ("manager", "coe", "admin")),
    "plan": ("/store/plan", "management.plan", "table", ("manager", "coe", "admin")),
    "tablets": ("/store/tablets", "management.tablets", "card", ("manager", "admin")),
    "models": ("/coe/", "management.models", "model", ("coe", "admin")),
    "store_focus": ("/store/focus", "management.store_focus", "star", ("manager", "coe", "admin")),
    "focus": ("/coe/focus", "management.focus", "star", ("coe", "admin")),
    "inputs": ("/coe/inputs", "management.inputs", "chart", ("coe", "admin")),
    "data": ("/coe/data", "management.data", "table", ("coe", "admin")),
    "one_id": ("/coe/identity", "management.one_id", "card", ("coe", "admin")),
    "journeys": ("/coe/journeys", "management.journeys", "turn", ("coe", "admin")),
    "coupons": ("/coe/coupons", "management.coupons", "coupon", ("coe", "admin")),
    "cx": ("/coe/cx", "management.cx", "star", ("coe", "admin")),
    "drivers": ("/coe/drivers", "management.drivers", "chart", ("coe", "admin")),
    "voice": ("/coe/voice", "management.voice", "voice", ("coe", "admin")),
    "risks": ("/coe/risks", "management.risks", "warn", ("coe", "admin")),
    "assortment": ("/coe/assortment", "management.assortment", "bag", ("coe", "admin")),
    "ltv": ("/coe/ltv", "management.ltv", "repeat", ("coe", "admin")),
    "surveys": ("/coe/surveys", "management.surveys", "pen", ("coe", "admin")),
    "store_voice": ("/store/voice", "management.store_voice", "voice", ("manager", "coe", "admin")),
    "actions": ("/coe/actions", "management.actions", "flag", ("coe", "head", "admin")),
    "tree": ("/coe/tree", "management.tree", "model", ("coe", "admin")),
    "brief": ("/coe/brief", "management.brief", "table", ("coe", "admin")),
    "units": ("/coe/units", "management.units", "people", ("coe", "admin")),
}

# The menu's groups in their order: group → (text, its places in theirs). A place that no group names stands with those
# of its address: /store/… in the store's, everything else in the first of the CoE's.
GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "store": (
        "management.group_store",
        ("today", "staffing", "plan", "store_focus", "store_voice", "tablets"),
    ),
    "team": ("management.group_team", ("team", "know_how", "me")),
    "models": ("management.group_models", ("models", "inputs", "focus")),
    "data": ("management.group_data", ("data", "one_id", "web")),
    "cx": (
        "management.group_cx",
        ("cx", "drivers", "journeys", "voice", "risks", "assortment", "ltv", "coupons", "surveys"),
    ),
    "actions": ("management.group_actions", ("actions", "tree", "brief", "units")),
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
    return {"menu": menu_for(signed_in(), here), "person": signed_in()}


def menu_for(person: Person, here: str) -> list[dict[str, Any]]:
    """The groups of the menu with the entries that a person may open; a group leads to its first entry."""
    groups = []
    for group, (text, _) in GROUPS.items():
        places = [
            {"href": href, "text": t(label), "icon": icon, "current": name == here}
            for name, (href, label, icon, roles) in sorted(PLACES.items(), key=_place_in_group)
            if group_of(name) == group and (person.role in roles or person.role == "admin")
        ]
        if places:
            current = any(place["current"] for place in places)
            groups.append({"href": places[0]["href"], "text": t(text), "places": places, "current": current})
    return groups


def group_of(name: str) -> str:
    """The group in which a place stands."""
    by_address = "store" if PLACES[name][0].startswith("/store/") else "models"
    return next((group for group, (_, names) in GROUPS.items() if name in names), by_address)


def _place_in_group(entry: tuple[str, Any]) -> int:
    name = entry[0]
    names = GROUPS[group_of(name)][1]
    return names.index(name) if name in names else len(names)


def csv_file(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    """A download that spreadsheet programs read as UTF-8, also on Windows in Japan."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    for row in rows:
        writer.writerow({column: harmless(row.get(column)) for column in columns})
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula, whoever wrote it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
