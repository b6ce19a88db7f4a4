"""Units: who heads which business unit, and which CoE member leads which area inside it."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.accounts import accounts
from journey.actions import action_plans
from journey.errors import InputError, NotFound
from journey.units import PARTS, assign_member, organisation, remove_member

blueprint = APIBlueprint("units", "clerk_ui.coe", enable_openapi=False)
COLUMNS = ("unit", "part", "area", "account_id", "name", "role")


@blueprint.get("/coe/units")
@require_role("coe")
def page() -> str:
    """The page."""
    return _page("")


@blueprint.get("/coe/units.csv")
@require_role("coe")
def download() -> Response:
    """The same as a file."""
    return csv_file("units", COLUMNS, [member.__dict__ for member in organisation(reading())])


@blueprint.post("/coe/units")
@require_role("coe")
def assign() -> str | Response | tuple[str, int]:
    """Give a person a part in a unit, or take it away."""
    require_form_token()
    given = {name: request.form.get(name, "").strip() for name in ("unit", "area", "account_id", "part")}
    by = f"account:{signed_in().account_id}"
    try:
        with writing() as session:
            if request.form.get("remove"):
                remove_member(session, unit=given["unit"], area=given["area"], account_id=given["account_id"], by=by,
                              now=request_time())  # fmt: skip
            else:
                assign_member(session, **given, by=by, now=request_time())
    except (InputError, NotFound):
        return _page("actions.units_wrong"), 422
    return redirect("/coe/units", 303)


def _page(message: str) -> str:
    session = reading()
    members = organisation(session)
    units: dict[str, list[object]] = {}
    for member in members:
        units.setdefault(member.unit, []).append(member)
    plans = action_plans(session)
    headless = [unit for unit in {p.unit for p in plans} | set(units) if not any(
        m.unit == unit and m.part == "head" for m in members)]  # fmt: skip
    return render_template(
        "coe/units.html", **frame("units"), units=units, message=message, parts_of=PARTS, headless=sorted(headless),
        people=[account for account in accounts(session, enabled_only=True) if account.role != "clerk"],
        names=sorted({*units, *(plan.unit for plan in plans)}),
        counts={unit: sum(p.unit == unit and p.state == "running" for p in plans) for unit in units},
    )  # fmt: skip
