"""The risks page: pain and gain points, customers on a single thread, and the what-if of closing or shorter hours."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import render_template, request

from analytics.dependence import closure_report
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.database_sessions import reading
from clerk_ui.management import csv_file, frame
from journey.errors import InputError, NotFound
from journey.stores import stores

blueprint = APIBlueprint("risks", "clerk_ui.coe", enable_openapi=False)
SHOWN = 30
CLOSURE_COLUMNS = ("touchpoint", "customers", "sales", "sole_customers", "sole_sales", "reachable", "at_stake_low",
                   "at_stake_high", "takeover")  # fmt: skip


@blueprint.get("/coe/risks")
@require_role("coe")
def page() -> str:
    """The page; with a store and hours also what dropping them would put at stake."""
    session, stored = reading(), kept("risks")
    asked, troubled = _asked()
    whatif = None
    if asked is not None:
        try:
            whatif = closure_report(session, asked[0], hours=asked[1:])
        except (InputError, NotFound):
            troubled = True
    names = {store.store_id: store.name for store in stores(session)}
    return render_template(
        "coe/risks.html", **frame("risks"), **as_of(stored), found=stored and stored.document, names=names,
        asked=asked, whatif=whatif, troubled=troubled, shown=SHOWN,
    )  # fmt: skip


@blueprint.get("/coe/risks/closures.csv")
@require_role("coe")
def closures() -> Any:
    """What closing each touchpoint would put at stake, as a file."""
    stored = kept("risks")
    rows = stored.document["closures"] if stored else []
    flat = (
        row | {"sole_customers": row["sole"]["customers"], "sole_sales": row["sole"]["sales"],
               "reachable": row["sole"]["reachable"],
               "takeover": "; ".join(f"{t['touchpoint']} {t['sales']:.0f}" for t in row["takeover"])}
        for row in rows
    )  # fmt: skip
    return csv_file("closures", CLOSURE_COLUMNS, flat)


def _asked() -> tuple[tuple[str, int, int] | None, bool]:
    """Store and hours asked for, and whether they cannot be read."""
    store = request.args.get("store", "")
    if not store:
        return None, False
    first, last = request.args.get("from", type=int), request.args.get("until", type=int)
    return (None, True) if first is None or last is None else ((store, first, last), False)
