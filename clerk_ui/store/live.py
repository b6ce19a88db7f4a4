"""The live board: is the floor short at this moment, or quiet, and what to do about it?"""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import render_template

from analytics.staffing.coming_hours import coming_hours, forecast_reaches
from analytics.staffing.live import store_now
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.management import frame
from clerk_ui.store.asked import asked_store
from journey.stores import clerk_names

blueprint = APIBlueprint("live", "clerk_ui.store", enable_openapi=False)


@blueprint.get("/store/live")
@require_role("manager", "coe")
def page() -> str:
    """The board; its page fetches itself again every twenty seconds."""
    asked = asked_store()
    now = store_now(reading(), asked.store.store_id, request_time())
    hours = coming_hours(reading(), asked.store.store_id, asked.tz, request_time())
    names = clerk_names(reading(), store_id=asked.store.store_id)
    named = {
        place: [names.get(clerk, clerk) for clerk in now[place]] for place in ("on_floor", "in_back")
    }  # fmt: skip
    return render_template(
        "store/live.html",
        **frame("today"),
        asked=asked,
        now=now,
        hours=hours,
        next_short=next((hour for hour in hours if hour["judgement"] == "short"), None),
        named=named,
        who=names.get(now["who"], now["who"]) if now["who"] else None,
        at=request_time(),
        forecast=now["usual"] is not None
        or bool(hours)
        or forecast_reaches(reading(), asked.store.store_id, asked.today),
        nothing=now["source"] == "usual" and now["usual"] is None and not now["on_floor"],
    )
