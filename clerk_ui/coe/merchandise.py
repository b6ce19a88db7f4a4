"""Assortment and lifetime value: what regulars buy, what brings newcomers, and what customers are worth."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

from apiflask import APIBlueprint
from flask import render_template, request

from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.management import frame, signed_in
from journey.analysis_results import stored_rows
from journey.audit import record_act
from journey.products import product_names

blueprint = APIBlueprint("merchandise", "clerk_ui.coe", enable_openapi=False)
LISTED = 10
FIGURES = ("buyers", "sales", "regular_share", "newcomer_share", "repeat_rate", "loss_if_delisted", "loss_share")
BEST = 20
ENOUGH_BUYERS = 20
SLIPPING, SURE = 0.5, 0.05
# the drawing of the calibration plot, in its own units
WIDTH, HEIGHT, EDGE, FOOT = 460, 340, 48, 48


@blueprint.get("/coe/assortment")
@require_role("coe")
def assortment() -> str:
    """The assortment page."""
    stored = kept("assortment")
    found = stored.document if stored else None
    products = found["products"] if found else []
    known = [row for row in products if row["buyers"] >= ENOUGH_BUYERS]
    wanted = request.args.get("product", "").strip()[:100]
    matches = _products_like(wanted) if wanted and stored else []
    with_names = {other["product_id"] for row in products for other in row["lift_with"]}
    return render_template(
        "coe/assortment.html", **frame("assortment"), **as_of(stored), found=found,
        names=product_names(reading(), with_names),
        regulars=_standing_out(known, "regular_share"),
        newcomers=_standing_out(known, "newcomer_share"),
        losses=sorted((r for r in known if r["loss_if_delisted"]), key=lambda r: -r["loss_if_delisted"])[:LISTED],
        voices=sorted((r for r in products if r["voices"]), key=lambda r: -r["voices"])[:LISTED],
        worst_loss=max((r["loss_if_delisted"] or 0 for r in known), default=0),
        wanted=wanted, matches=matches[:LISTED], more=max(0, len(matches) - LISTED),
    )  # fmt: skip


def _products_like(wanted: str) -> list[dict[str, Any]]:
    """The kept rows of all products whose id or name holds the words, what would be lost most first."""
    sought = unicodedata.normalize("NFKC", wanted).casefold()
    rows = stored_rows(reading(), "assortment") or b""
    found = []
    for row in csv.DictReader(io.StringIO(rows.decode("utf-8-sig"))):
        named = unicodedata.normalize("NFKC", row["name"] or "").casefold()
        if sought == row["product_id"].casefold() or sought in named:
            figures = {name: float(row[name]) if row[name] else None for name in FIGURES}
            found.append({name: row[name] for name in ("product_id", "name", "category")} | figures)
    return sorted(found, key=lambda row: -(row["loss_if_delisted"] or 0.0))


def _standing_out(products: list[dict[str, Any]], share: str) -> list[dict[str, Any]]:
    """Products whose share is above the chain's beyond chance, after correction for many looks, the surest first."""
    above = [row for row in products if row[f"{share}_q"] is not None and row[f"{share}_q"] <= SURE]
    return sorted(above, key=lambda row: -row[f"{share}_low"])[:LISTED]


@blueprint.get("/coe/ltv")
@require_role("coe")
def lifetime_value() -> str:
    """The lifetime value page."""
    stored = kept("ltv")
    found = stored.document if stored else None
    best = found["customers"] if found else []
    total = sum(row["total_value"] or 0.0 for row in found["segments"]) if found else 0.0
    people = sum(row["customers"] for row in found["segments"]) if found else 0
    purchases = sum(row["expected_purchases"] * row["customers"] for row in found["segments"]) if found else 0.0
    checked = found["calibration"] if found else None
    wanted = request.args.get("customer", "").strip()
    return render_template(
        "coe/ltv.html", **frame("ltv"), **as_of(stored), found=found, best=best[:BEST],
        mean=total / people if people else None, people=people,
        each=purchases / people if people else None, listed=len(best),
        slipping=sum(row["p_alive"] < SLIPPING for row in best),
        plot=calibration_plot(checked["bins"]) if checked else None, checked=checked, wanted=wanted,
        one=_value_of(wanted) if wanted else None,
    )  # fmt: skip


def _value_of(customer_id: str) -> dict[str, Any] | None:
    """The kept row of one customer; that somebody looked is kept in the audit log."""
    rows = stored_rows(reading(), "ltv") or b""
    for row in csv.DictReader(io.StringIO(rows.decode("utf-8-sig"))):
        if row["customer_id"] == customer_id:
            with writing() as session:
                record_act(session, at=request_time(), actor=f"account:{signed_in().account_id}", action="ltv.viewed",
                           subject_kind="customer", subject_id=customer_id)  # fmt: skip
            return {name: float(text) if text else None for name, text in row.items() if name != "customer_id"}
    return None


def calibration_plot(bins: list[dict[str, Any]]) -> dict[str, Any]:
    """Expected (to the right) against actual (upwards) purchases per customer, on one scale for both."""
    most = max([row[side] for row in bins for side in ("expected", "actual")] or [1.0]) * 1.1 or 1.0

    def x(value: float) -> float:
        return round(EDGE + (WIDTH - EDGE - 16) * value / most, 1)

    def y(value: float) -> float:
        return round(HEIGHT - FOOT - (HEIGHT - FOOT - 16) * value / most, 1)

    largest = max([row["customers"] for row in bins] or [1])
    return {
        "width": WIDTH, "height": HEIGHT, "left": EDGE, "bottom": HEIGHT - FOOT, "right": WIDTH - 16, "top": 16,
        "points": [
            {"x": x(row["expected"]), "y": y(row["actual"]), "label": row["purchases"],
             "r": round(4 + 8 * (row["customers"] / largest) ** 0.5, 1)}
            for row in bins
        ],
        "line": (x(0), y(0), x(most), y(most)), "most": most,
    }  # fmt: skip
