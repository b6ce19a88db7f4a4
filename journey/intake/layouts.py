"""The tables of the extract format, one by one, in the order in which they are imported."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from journey import (
    coupons,
    customers,
    erasures,
    identity,
    outcomes,
    products,
    purchases,
    rosters,
    stores,
    suggestions,
    surveys,
    traffic,
    visits,
    web,
)
from journey.intake.layout import Column, Kind, Layout

CHANNELS = ("store", "ec", "app")


def _table(model: Any) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _id(name: str, **more: Any) -> Column:
    return Column(name, Kind.ID, **more)


def _key(name: str, kind: Kind = Kind.ID, **more: Any) -> Column:
    return Column(name, kind, required=True, key=True, **more)


def _time(name: str, **more: Any) -> Column:
    return Column(name, Kind.INSTANT, **more)


def _number(name: str, **more: Any) -> Column:
    return Column(name, Kind.NUMBER, **more)


def _store(**more: Any) -> Column:
    return _id("store_id", refers="stores", **more)


def _clerk(**more: Any) -> Column:
    return _id("clerk_id", refers="clerks", **more)


def _product(**more: Any) -> Column:
    return _id("product_id", refers="products", **more)


def _customer(**more: Any) -> Column:
    return _id("customer_id", target="customer_ref", refers="customers", **more)


STORES = Layout(
    "stores",
    _table(stores.Store),
    (
        _key("store_id"),
        Column("name", required=True),
        Column("area"),
        Column("timezone", Kind.ZONE),
        Column("opened_on", Kind.DATE),
    ),
    updates=None,
    constants={"stub": "false"},
)
CLERKS = Layout(
    "clerks",
    _table(stores.Clerk),
    (
        _key("clerk_id"),
        _store(required=True),
        Column("name", required=True),
        Column("role", choices=("clerk", "manager")),
        Column("hired_on", Kind.DATE),
        Column("left_on", Kind.DATE),
    ),
    updates=None,
    constants={"stub": "false"},
)
PRODUCTS = Layout(
    "products",
    _table(products.Product),
    (
        _key("product_id"),
        Column("name", required=True),
        Column("category"),
        Column("brand"),
        Column("price", Kind.MONEY),
        Column("released_on", Kind.DATE),
        Column("discontinued_on", Kind.DATE),
        Column("attributes", Kind.OBJECT),
    ),
    updates=None,
    constants={"stub": "false"},
)
CUSTOMERS = Layout(
    "customers",
    _table(customers.Customer),
    (
        _key("customer_id"),
        Column("name"),
        Column("kana"),
        Column("joined_on", Kind.DATE),
        Column("birth_year", Kind.INTEGER, low=1850, high=2200),
        Column("gender"),
        Column("area"),
        Column("tier"),
        Column("consent_profiling", Kind.BOOLEAN),
        Column("consent_contact", Kind.BOOLEAN),
    ),
    updates=None,
    constants={"stub": "false"},
)
ERASURES = Layout(
    "erasures",
    _table(erasures.Erasure),
    (
        _key("digest", Kind.TEXT),
        Column("salt", required=True),
        _time("erased_at", required=True),
    ),
)
IDENTITIES = Layout(
    "identities",
    _table(identity.Identity),
    (
        _key("kind", Kind.TEXT, choices=identity.KINDS),
        _key("value", Kind.TEXT),
        _customer(required=True),
        _time("linked_at", required=True),
    ),
)
MERGES = Layout(
    "merges",
    _table(identity.Merge),
    (
        _key("survivor_id", refers="customers"),
        _key("merged_id", refers="customers"),
        _key("merged_at", Kind.INSTANT),
        Column("merged_by", required=True),
        Column("evidence", Kind.OBJECT),
        _time("undone_at"),
        Column("undone_by"),
    ),
    fills=frozenset({"undone_at", "undone_by"}),
)
COUPONS = Layout(
    "coupons",
    _table(coupons.Coupon),
    (
        _key("coupon_id"),
        Column("name", required=True),
        Column("kind", choices=("amount", "percent")),
        Column("value", Kind.MONEY),
        _time("valid_from"),
        _time("valid_until"),
        _product(),
        Column("category"),
        Column("channels"),
    ),
    updates=None,
    ordered=(("valid_from", "valid_until"),),
)
COUPON_GRANTS = Layout(
    "coupon_grants",
    _table(coupons.CouponGrant),
    (
        _key("coupon_id"),
        _customer(required=True, key=True),
        _time("granted_at", required=True),
        Column("channel"),
        _time("redeemed_at"),
        Column("redeemed_channel"),
        _id("redemption_id"),
        _id("redeemed_store_id", refers="stores"),
        _id("redeemed_by"),
    ),
    fills=frozenset({"redeemed_at", "redeemed_channel", "redemption_id", "redeemed_store_id", "redeemed_by"}),
)
SURVEYS = Layout(
    "surveys",
    _table(surveys.Survey),
    (
        _key("survey_id"),
        Column("name", required=True),
        Column("kind", choices=("one_tap", "periodic")),
        Column("touchpoint"),
    ),
    updates=None,
)
CLERK_TARGETS = Layout(
    "clerk_targets",
    _table(suggestions.ClerkTarget),
    (
        _key("campaign_id"),
        Column("name", required=True),
        Column("starts_on", Kind.DATE, required=True),
        Column("ends_on", Kind.DATE, required=True),
        _product(),
        Column("category"),
        Column("stores"),
    ),
    updates=None,
    ordered=(("starts_on", "ends_on"),),
)
STOCK = Layout(
    "stock",
    _table(products.Stock),
    (
        _store(required=True, key=True),
        _product(required=True, key=True),
        _number("quantity", required=True),
        _time("as_of", required=True),
    ),
    updates=None,
    newest="as_of",
)
TRAFFIC = Layout(
    "traffic",
    _table(traffic.Traffic),
    (
        _store(required=True, key=True),
        _key("starts_at", Kind.INSTANT),
        Column("minutes", Kind.INTEGER, required=True, low=1),
        Column("entered", Kind.INTEGER, required=True, low=0),
        Column("left", Kind.INTEGER, low=0),
    ),
)
SHIFTS = Layout(
    "shifts",
    _table(rosters.Shift),
    (
        _clerk(required=True, key=True),
        _store(required=True),
        _key("starts_at", Kind.INSTANT),
        _time("ends_at", required=True),
        Column("duty", choices=rosters.DUTIES),
    ),
    updates=None,
    ordered=(("starts_at", "ends_at"),),
)
ORDERS = Layout(
    "orders",
    _table(visits.Order),
    (
        _key("order_id"),
        _customer(required=True),
        _store(required=True),
        _time("ordered_at", required=True),
        _time("pickup_at"),
        Column("status"),
    ),
    updates=frozenset({"pickup_at", "status"}),
)
CONTACTS = Layout(
    "contacts",
    _table(visits.Contact),
    (
        _key("contact_id"),
        _customer(),
        Column("channel", choices=("call", "chat", "mail")),
        _time("started_at", required=True),
        _number("seconds", low=0),
        Column("topic"),
        Column("resolved", Kind.BOOLEAN),
    ),
    updates=frozenset({"seconds", "resolved"}),
    personal=("topic",),
)
VISITS = Layout(
    "visits",
    _table(visits.Visit),
    (
        _key("visit_id"),
        _store(required=True),
        _customer(required=True),
        Column("source", required=True, choices=("checkin", "scan", "appointment")),
        _time("arrived_at", required=True),
        _time("attended_at"),
        _time("ended_at"),
        _clerk(),
    ),
    fills=frozenset({"attended_at", "ended_at", "clerk_id"}),
)
POS_LINES = Layout(
    "pos_lines",
    _table(purchases.PosLine),
    (
        _key("receipt_id"),
        _key("line_no", Kind.INTEGER, low=0),
        _store(required=True),
        _time("sold_at", required=True),
        Column("channel", choices=CHANNELS),
        _customer(),
        _id("card_no"),
        _product(required=True),
        _number("quantity", required=True, nonzero=True),
        Column("amount", Kind.MONEY, required=True),
        Column("discount", Kind.MONEY),
        _id("coupon_id"),
        _clerk(),
    ),
    identifiers=(("card_no", ("card", "app", "ec_account")),),
    fact_time="sold_at",
)
WEB_EVENTS = Layout(
    "web_events",
    _table(web.WebEvent),
    (
        _key("event_id"),
        _time("occurred_at", required=True),
        _id("visitor_id", required=True),
        _id("session_id"),
        _customer(),
        Column("kind", required=True, choices=web.KINDS),
        _product(),
        _id("content_id"),
        Column("page"),
        Column("query"),
        Column("referrer"),
    ),
    identifiers=(("visitor_id", ("cookie", "app")),),
    personal=("session_id", "page", "query", "referrer"),
    fact_time="occurred_at",
)
SUGGESTIONS = Layout(
    "suggestions",
    _table(suggestions.Suggestion),
    (
        _key("suggestion_id"),
        _id("set_id"),
        _customer(),
        _store(required=True),
        _clerk(),
        _id("device_id"),
        _time("shown_at", required=True),
        _product(required=True),
        Column("rank", Kind.INTEGER, required=True, low=1),
        _number("score"),
        _number("probability", low=0, high=1),
        _number("propensity", low=0, high=1),
        Column("model"),
        Column("policy"),
        Column("arm"),
        Column("reason"),
        Column("kind"),
        Column("source"),
        Column("evidence", Kind.OBJECT),
    ),
    personal=("reason", "evidence"),
    fact_time="shown_at",
)
OUTCOMES = Layout(
    "outcomes",
    _table(outcomes.Outcome),
    (
        _key("outcome_id"),
        _id("suggestion_id", required=True),
        _clerk(required=True),
        _id("device_id"),
        _time("occurred_at", required=True),
        _time("received_at"),
        _time("ordered_at"),
        Column("result", required=True, choices=outcomes.RESULTS),
        Column("why"),
        _time("retracted_at"),
    ),
    fills=frozenset({"retracted_at"}),
    constants={"current": "true"},
    fact_time="occurred_at",
)
ANSWERS = Layout(
    "answers",
    _table(surveys.Answer),
    (
        _key("response_id"),
        _key("question", Kind.TEXT),
        Column("touchpoint", key=True, default=""),
        _id("survey_id", required=True),
        _customer(),
        _id("email_hash"),
        _store(),
        _time("asked_at"),
        _time("answered_at", required=True),
        _number("score"),
        _number("scale_min"),
        _number("scale_max"),
        Column("comment"),
    ),
    identifiers=(("email_hash", ("email_hash",)),),
    personal=("comment",),
    ordered=(("scale_min", "score"), ("score", "scale_max")),
)

CUSTOMER_NOTES = Layout(
    "customer_notes",
    _table(customers.CustomerNote),
    (
        _key("note_id"),
        _customer(required=True),
        _clerk(required=True),
        _store(required=True),
        _time("written_at", required=True),
        Column("text", required=True),
    ),
)
DISMISSALS = Layout(
    "dismissals",
    _table(suggestions.Dismissal),
    (
        _key("dismissal_id"),
        _customer(required=True),
        _product(required=True),
        _id("clerk_id", required=True),
        Column("why"),
        _time("dismissed_at", required=True),
        _time("until"),
    ),
)
FOLLOW_UPS = Layout(
    "follow_ups",
    _table(outcomes.FollowUp),
    (
        _key("follow_up_id"),
        _id("suggestion_id"),
        _customer(required=True),
        _store(required=True),
        _clerk(required=True),
        Column("due_on", Kind.DATE, required=True),
        Column("text"),
        _time("created_at", required=True),
        _time("done_at"),
    ),
    fills=frozenset({"done_at"}),
)

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        STORES, CLERKS, PRODUCTS, CUSTOMERS, ERASURES, IDENTITIES, MERGES, COUPONS, COUPON_GRANTS, SURVEYS,
        CLERK_TARGETS, STOCK, TRAFFIC, SHIFTS, ORDERS, CONTACTS, VISITS, POS_LINES, WEB_EVENTS, SUGGESTIONS,
        OUTCOMES, ANSWERS, CUSTOMER_NOTES, DISMISSALS, FOLLOW_UPS,
    )
}  # fmt: skip
