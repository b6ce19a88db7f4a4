"""What happened: counts, orders, contacts, visits, sales, browsing, suggestions, outcomes, answers, notes."""

from __future__ import annotations

from journey import customers, offers, outcomes, purchases, suggestions, surveys, traffic, visits, web
from journey.intake.column_kinds import (
    CHANNELS,
    clerk,
    customer,
    identifier,
    key,
    number,
    product,
    store,
    table_of,
    time,
)
from journey.intake.layout import Column, Kind, Layout

TRAFFIC = Layout(
    "traffic",
    table_of(traffic.Traffic),
    (
        store(required=True, key=True),
        key("starts_at", Kind.INSTANT),
        Column("minutes", Kind.INTEGER, required=True, low=1),
        Column("entered", Kind.INTEGER, required=True, low=0),
        Column("left", Kind.INTEGER, low=0),
    ),
)

ORDERS = Layout(
    "orders",
    table_of(visits.Order),
    (
        key("order_id"),
        customer(required=True),
        store(required=True),
        time("ordered_at", required=True),
        time("pickup_at"),
        Column("status"),
    ),
    updates=frozenset({"pickup_at", "status"}),
)

CONTACTS = Layout(
    "contacts",
    table_of(visits.Contact),
    (
        key("contact_id"),
        customer(),
        Column("channel", choices=("call", "chat", "mail")),
        time("started_at", required=True),
        number("seconds", low=0),
        Column("topic"),
        Column("resolved", Kind.BOOLEAN),
    ),
    updates=frozenset({"seconds", "resolved"}),
    personal=("topic",),
)

VISITS = Layout(
    "visits",
    table_of(visits.Visit),
    (
        key("visit_id"),
        store(required=True),
        customer(required=True),
        Column("source", required=True, choices=("checkin", "scan", "appointment")),
        time("arrived_at", required=True),
        time("attended_at"),
        time("ended_at"),
        clerk(),
    ),
    fills=frozenset({"attended_at", "ended_at", "clerk_id"}),
)

POS_LINES = Layout(
    "pos_lines",
    table_of(purchases.PosLine),
    (
        key("receipt_id"),
        key("line_no", Kind.INTEGER, low=0),
        store(required=True),
        time("sold_at", required=True),
        Column("channel", choices=CHANNELS),
        customer(),
        identifier("card_no"),
        product(required=True),
        number("quantity", required=True, nonzero=True),
        Column("amount", Kind.MONEY, required=True),
        Column("discount", Kind.MONEY),
        identifier("coupon_id"),
        clerk(),
    ),
    identifiers=(("card_no", ("card", "app", "ec_account")),),
    fact_time="sold_at",
)

WEB_EVENTS = Layout(
    "web_events",
    table_of(web.WebEvent),
    (
        key("event_id"),
        time("occurred_at", required=True),
        identifier("visitor_id", required=True),
        identifier("session_id"),
        customer(),
        Column("kind", required=True, choices=web.KINDS),
        product(),
        identifier("content_id"),
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
    table_of(suggestions.Suggestion),
    (
        key("suggestion_id"),
        identifier("set_id"),
        customer(),
        store(required=True),
        clerk(),
        identifier("device_id"),
        time("shown_at", required=True),
        product(required=True),
        Column("rank", Kind.INTEGER, required=True, low=1),
        number("score"),
        number("probability", low=0, high=1),
        number("propensity", low=0, high=1),
        Column("model"),
        Column("policy"),
        Column("arm"),
        Column("reason"),
        Column("kind"),
        Column("source"),
        Column("evidence", Kind.OBJECT),
        Column("channel", choices=CHANNELS),
        Column("rules", Kind.OBJECT),
    ),
    personal=("reason", "evidence", "rules"),
    fact_time="shown_at",
)

OUTCOMES = Layout(
    "outcomes",
    table_of(outcomes.Outcome),
    (
        key("outcome_id"),
        identifier("suggestion_id", required=True),
        clerk(required=True),
        identifier("device_id"),
        time("occurred_at", required=True),
        time("received_at"),
        time("ordered_at"),
        Column("result", required=True, choices=outcomes.RESULTS),
        Column("why"),
        time("retracted_at"),
    ),
    fills=frozenset({"retracted_at"}),
    constants={"current": "true"},
    fact_time="occurred_at",
    looked_up=frozenset({"suggestion_id"}),
)

ANSWERS = Layout(
    "answers",
    table_of(surveys.Answer),
    (
        key("response_id"),
        key("question", Kind.TEXT),
        Column("touchpoint", key=True, default=""),
        identifier("survey_id", required=True),
        customer(),
        identifier("email_hash"),
        store(),
        time("asked_at"),
        time("answered_at", required=True),
        number("score"),
        number("scale_min"),
        number("scale_max"),
        Column("comment"),
    ),
    identifiers=(("email_hash", ("email_hash",)),),
    personal=("comment",),
    ordered=(("scale_min", "score"), ("score", "scale_max")),
)

CUSTOMER_NOTES = Layout(
    "customer_notes",
    table_of(customers.CustomerNote),
    (
        key("note_id"),
        customer(required=True),
        clerk(required=True),
        store(required=True),
        time("written_at", required=True),
        Column("text", required=True),
    ),
)

DISMISSALS = Layout(
    "dismissals",
    table_of(suggestions.Dismissal),
    (
        key("dismissal_id"),
        customer(required=True),
        product(required=True),
        identifier("clerk_id", required=True),
        Column("why"),
        time("dismissed_at", required=True),
        time("until"),
    ),
)

FOLLOW_UPS = Layout(
    "follow_ups",
    table_of(outcomes.FollowUp),
    (
        key("follow_up_id"),
        identifier("suggestion_id"),
        customer(required=True),
        store(required=True),
        clerk(required=True),
        Column("due_on", Kind.DATE, required=True),
        Column("text"),
        time("created_at", required=True),
        time("done_at"),
    ),
    fills=frozenset({"done_at"}),
)

OFFERS = Layout(
    "offers",
    table_of(offers.Offer),
    (
        key("offer_id"),
        customer(required=True),
        store(required=True),
        identifier("clerk_id"),
        identifier("device_id"),
        time("shown_at", required=True),
        Column("kind", required=True, choices=offers.KINDS),
        Column("subject", default=""),
        Column("rank", Kind.INTEGER, required=True, low=1),
        number("usefulness", required=True),
        Column("result", choices=offers.ANSWERS),
        time("answered_at"),
        identifier("answered_by"),
    ),
    fills=frozenset({"result", "answered_at", "answered_by"}),
)
