"""The tables of the extract format, in the order in which they are imported."""

from __future__ import annotations

from journey.intake.cx_layouts import (
    ACTION_PLANS,
    CLERK_AVAILABILITY,
    CLERK_DAYS_OFF,
    CLERK_TERMS,
    QUESTIONNAIRES,
    STORE_RULES,
    SURVEY_INVITATIONS,
    SURVEY_TASKS,
)
from journey.intake.fact_layouts import (
    ANSWERS,
    CONTACTS,
    CUSTOMER_NOTES,
    DISMISSALS,
    FOLLOW_UPS,
    OFFERS,
    ORDERS,
    OUTCOMES,
    POS_LINES,
    SUGGESTIONS,
    TRAFFIC,
    VISITS,
    WEB_EVENTS,
)
from journey.intake.layout import Layout
from journey.intake.master_layouts import (
    CLERK_TARGETS,
    CLERKS,
    COUPON_GRANTS,
    COUPONS,
    CUSTOMERS,
    DIFFERENT_CUSTOMERS,
    ERASURES,
    IDENTITIES,
    IDENTITY_CLAIMS,
    MERGES,
    PRODUCTS,
    SHIFTS,
    STOCK,
    STORE_EVENTS,
    STORES,
    SURVEYS,
)
from journey.intake.staff_layouts import COACHING_ENTRIES, KNOW_HOW_CARDS, KNOW_HOW_USES, OUTCOME_CONTESTS

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        STORES, CLERKS, PRODUCTS, CUSTOMERS, ERASURES, IDENTITIES, MERGES, IDENTITY_CLAIMS, DIFFERENT_CUSTOMERS,
        COUPONS, COUPON_GRANTS, SURVEYS, CLERK_TARGETS, STORE_EVENTS, STOCK, TRAFFIC,
        SHIFTS, ORDERS, CONTACTS, VISITS, POS_LINES, WEB_EVENTS,
        SUGGESTIONS, OUTCOMES, ANSWERS, CUSTOMER_NOTES, DISMISSALS, FOLLOW_UPS, OFFERS,
        KNOW_HOW_CARDS, KNOW_HOW_USES, OUTCOME_CONTESTS, COACHING_ENTRIES,
        QUESTIONNAIRES, SURVEY_INVITATIONS, SURVEY_TASKS, ACTION_PLANS,
        CLERK_TERMS, CLERK_AVAILABILITY, CLERK_DAYS_OFF, STORE_RULES,
    )
}  # fmt: skip
