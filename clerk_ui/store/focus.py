"""The focus page: to which of today's customers the store proposes the focus merchandise, and in what words."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, render_template, request

from clerk_ui.auth.requirements import require_role, require_store
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.focus_results import KIND
from clerk_ui.focus_words import campaigns_of
from clerk_ui.management import csv_file, frame, signed_in
from journey.analysis_results import stored_result
from journey.audit import record_act
from journey.stores import Store, stores

blueprint = APIBlueprint("store_focus", "clerk_ui.store", enable_openapi=False)
SHOWN = 20
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
