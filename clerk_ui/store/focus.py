"""The focus page: to which of today's customers the store proposes the focus merchandise, and in what words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.focus_results import KIND
from clerk_ui.languages import current_language
from clerk_ui.management import csv_file, frame, signed_in
from journey.analysis_results import Stored, stored_result
from journey.arrivals import expected
from journey.audit import record_act
from journey.customers import customer_names, present_customers, profiling_refused
from journey.database import from_micros
from journey.local_days import day_bounds, local_date, store_zone
from journey.products import product_names
from journey.stores import Store, stores

blueprint = APIBlueprint("store_focus", "clerk_ui.store", enable_openapi=False)
SHOWN = 40
DUE = 0.7
"""From this part of the usual interval on, a customer is likely to come."""
COLUMNS = (
    "campaign", "customer_id", "name", "today", "last_visit", "usual_gap_days", "product_id", "product", "reason",
    "talk", "uplift", "with_proposal", "without_proposal", "displaced", "gain", "lost",
)  # fmt: skip


@blueprint.get("/store/focus")
@require_role("manager", "coe")
def page() -> str:
    """The page."""
    store = _asked()
    kept = stored_result(reading(), KIND, {"store": store.store_id})
    campaigns = campaigns_of(reading(), kept, store.store_id, now=request_time())
    wanted = request.args.get("campaign")
    campaign = next((each for each in campaigns if each["campaign_id"] == wanted), campaigns[0] if campaigns else None)
    _audit(store.store_id, "focus.viewed")
    return render_template(
        "store/focus.html",
        **frame("store_focus"),
        store=store,
        stores=stores(reading()) if signed_in().role != "manager" else [store],
        kept=kept,
        campaigns=campaigns,
        campaign=campaign,
        shown=SHOWN,
        here=[row for row in campaign["rows"] if row["today"]] if campaign else [],
    )


@blueprint.get("/store/focus.csv")
@require_role("manager", "coe")
def download() -> Response:
    """The lists of all campaigns of the store as a file."""
    store = _asked()
    kept = stored_result(reading(), KIND, {"store": store.store_id})
    campaigns = campaigns_of(reading(), kept, store.store_id, now=request_time())
    _audit(store.store_id, "focus.exported")
    rows = ({"campaign": each["name"]} | row for each in campaigns for row in each["rows"])
    return csv_file(f"focus-{store.store_id}", COLUMNS, rows)


def campaigns_of(session: Session, kept: Stored | None, store_id: str, *, now: datetime) -> list[dict[str, Any]]:
    """The store's campaigns with their rows in words: who is here or expected today first, then as kept.

    Whoever was erased or refused profiling since the list was made is left out.
    """
    if kept is None or not kept.document["campaigns"]:
        return []
    from recommender.reasons import talk_line, tell

    tz = store_zone(session, store_id, settings().chain.timezone)
    today, language = local_date(now, tz), current_language()
    coming = {each.customer_id: each.source for each in expected(session, store_id, now=now, day_ends=_end(today, tz))}
    by_default = settings().chain.consent_default == "refused"
    usable = present_customers(session) - profiling_refused(session, by_default=by_default)
    products = product_names(session)
    found = []
    for campaign in kept.document["campaigns"]:
        if date.fromisoformat(campaign["last"]) < today:
            continue
        proposals = [each for each in campaign["proposals"] if each["customer_id"] in usable]
        names = customer_names(session, [each["customer_id"] for each in proposals])
        rows = []
        for each in proposals:
            last = from_micros(each["last_visit"])
            away = (now - last).total_seconds() / 86_400
            rows.append(
                {
                    "customer_id": each["customer_id"],
                    "name": names.get(each["customer_id"], (None, None))[0],
                    "today": coming.get(each["customer_id"], ""),
                    "likely": away >= DUE * each["gap_days"] > 0,
                    "last_visit": last,
                    "usual_gap_days": each["gap_days"],
                    "product_id": each["product_id"],
                    "product": products.get(each["product_id"], each["product_id"]),
                    "reason": tell(each["evidence"], language),
                    "talk": talk_line(each["evidence"], language),
                    "uplift": each["uplift"],
                    "with_proposal": each["proposed"],
                    "without_proposal": each["unasked"],
                    "displaced": products.get(each["displaced"] or "", each["displaced"]),
                    "gain": each["gain"],
                    "lost": each["lost"],
                    "better_left": each["lost"] > each["gain"],
                }
            )
        rows.sort(key=lambda row: (not row["today"], row["better_left"], not row["likely"], -row["uplift"]))
        dates = {name: date.fromisoformat(campaign[name]) for name in ("first", "last")}
        found.append(campaign | dates | {"rows": rows})
    return found


def _end(today: date, tz: Any) -> datetime:
    return day_bounds(today, tz)[1]


def _asked() -> Store:
    """The store of this request; a manager's own unless they may see others."""
    everywhere = stores(reading())
    wanted = request.args.get("store") or signed_in().store_id or (everywhere[0].store_id if everywhere else "")
    require_store(wanted)
    return next((each for each in everywhere if each.store_id == wanted), Store(store_id=wanted, name=wanted))


def _audit(store_id: str, action: str) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action, subject_kind="store",
            subject_id=store_id,
        )  # fmt: skip
