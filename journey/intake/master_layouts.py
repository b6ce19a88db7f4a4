"""Who and what there is: stores, people, products, identifiers, coupons, surveys, rosters, stock."""

from __future__ import annotations

from journey import (
    coupons,
    customers,
    erasures,
    identity,
    identity_review,
    offers,
    products,
    rosters,
    stores,
    suggestions,
    surveys,
)
from journey.intake.column_kinds import clerk, customer, identifier, key, number, product, store, table_of, time
from journey.intake.layout import Column, Kind, Layout

STORES = Layout(
    "stores",
    table_of(stores.Store),
    (
        key("store_id"),
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
    table_of(stores.Clerk),
    (
        key("clerk_id"),
        store(required=True),
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
    table_of(products.Product),
    (
        key("product_id"),
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
    table_of(customers.Customer),
    (
        key("customer_id"),
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
    table_of(erasures.Erasure),
    (
        key("digest", Kind.TEXT),
        Column("salt", required=True),
        time("erased_at", required=True),
    ),
)

IDENTITIES = Layout(
    "identities",
    table_of(identity.Identity),
    (
        key("kind", Kind.TEXT, choices=identity.KINDS),
        key("value", Kind.TEXT),
        customer(required=True),
        time("linked_at", required=True),
    ),
)

MERGES = Layout(
    "merges",
    table_of(identity.Merge),
    (
        key("survivor_id", refers="customers"),
        key("merged_id", refers="customers"),
        key("merged_at", Kind.INSTANT),
        Column("merged_by", required=True),
        Column("evidence", Kind.OBJECT),
        time("undone_at"),
        Column("undone_by"),
    ),
    fills=frozenset({"undone_at", "undone_by"}),
)

IDENTITY_CLAIMS = Layout(
    "identity_claims",
    table_of(identity_review.IdentityClaim),
    (
        key("kind", Kind.TEXT, choices=identity.KINDS),
        key("value", Kind.TEXT),
        customer(required=True, key=True),
        time("first_at", required=True),
        time("last_at", required=True),
        Column("times", Kind.INTEGER, required=True, low=1),
    ),
    updates=None,
)

DIFFERENT_CUSTOMERS = Layout(
    "different_customers",
    table_of(identity_review.DifferentCustomers),
    (
        key("customer_a", refers="customers"),
        key("customer_b", refers="customers"),
        time("decided_at", required=True),
        Column("decided_by", required=True),
    ),
)

COUPONS = Layout(
    "coupons",
    table_of(coupons.Coupon),
    (
        key("coupon_id"),
        Column("name", required=True),
        Column("kind", choices=("amount", "percent")),
        Column("value", Kind.MONEY),
        time("valid_from"),
        time("valid_until"),
        product(),
        Column("category"),
        Column("channels"),
    ),
    updates=None,
    ordered=(("valid_from", "valid_until"),),
)

COUPON_GRANTS = Layout(
    "coupon_grants",
    table_of(coupons.CouponGrant),
    (
        key("coupon_id"),
        customer(required=True, key=True),
        time("granted_at", required=True),
        Column("channel"),
        time("redeemed_at"),
        Column("redeemed_channel"),
        identifier("redemption_id"),
        identifier("redeemed_store_id", refers="stores"),
        identifier("redeemed_by"),
    ),
    fills=frozenset({"redeemed_at", "redeemed_channel", "redemption_id", "redeemed_store_id", "redeemed_by"}),
)

SURVEYS = Layout(
    "surveys",
    table_of(surveys.Survey),
    (
        key("survey_id"),
        Column("name", required=True),
        Column("kind", choices=("one_tap", "periodic")),
        Column("touchpoint"),
    ),
    updates=None,
)

CLERK_TARGETS = Layout(
    "clerk_targets",
    table_of(suggestions.ClerkTarget),
    (
        key("campaign_id"),
        Column("name", required=True),
        Column("starts_on", Kind.DATE, required=True),
        Column("ends_on", Kind.DATE, required=True),
        product(),
        Column("category"),
        Column("stores"),
    ),
    updates=None,
    ordered=(("starts_on", "ends_on"),),
)

STOCK = Layout(
    "stock",
    table_of(products.Stock),
    (
        store(required=True, key=True),
        product(required=True, key=True),
        number("quantity", required=True),
        time("as_of", required=True),
    ),
    updates=None,
    newest="as_of",
)

SHIFTS = Layout(
    "shifts",
    table_of(rosters.Shift),
    (
        clerk(required=True, key=True),
        store(required=True),
        key("starts_at", Kind.INSTANT),
        time("ends_at", required=True),
        Column("duty", choices=rosters.DUTIES),
    ),
    updates=None,
    ordered=(("starts_at", "ends_at"),),
)

STORE_EVENTS = Layout(
    "store_events",
    table_of(offers.StoreEvent),
    (
        key("event_id"),
        Column("name", required=True),
        store(),
        time("starts_at", required=True),
        time("ends_at", required=True),
        Column("category"),
    ),
    updates=None,
    ordered=(("starts_at", "ends_at"),),
)
