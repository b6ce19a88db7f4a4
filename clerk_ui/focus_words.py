"""Kept focus lists in words: who is here or likely to come, what to propose, why, and what to say."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.languages import current_language
from journey.analysis_results import Stored
from journey.arrivals import expected
from journey.customers import customer_names, present_customers, profiling_refused
from journey.database import from_micros
from journey.local_days import day_bounds, local_date, store_zone
from journey.products import product_names

DUE = 0.7
"""From this part of the usual interval on, a customer is likely to come."""


def campaigns_of(session: Session, kept: Stored | None, store_id: str, *, now: datetime) -> list[dict[str, Any]]:
    """The store's campaigns with their rows in words: who is here or expected today first, then as kept.

    Whoever was erased or refused profiling since the list was made is left out.
    """
    if kept is None or not kept.document["campaigns"]:
        return []
    from recommender.reasons import talk_line, tell

    tz = store_zone(session, store_id, settings().chain.timezone)
    today, language = local_date(now, tz), current_language()
    coming = {
        each.customer_id: each.source
        for each in expected(session, store_id, now=now, day_ends=day_bounds(today, tz)[1])
    }
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
