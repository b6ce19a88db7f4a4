"""One name per column of the extract, and the fixed vocabularies of the ranked lists.

The numbers stored in ranked lists index these tuples, so entries are only ever appended.
"""

from typing import Final

CUSTOMER: Final = "customer_id"
PRODUCT: Final = "product_id"
STORE: Final = "store_id"
RECEIPT: Final = "receipt_id"
SOLD_AT: Final = "sold_at"
QUANTITY: Final = "quantity"
OCCURRED_AT: Final = "occurred_at"
VISITOR: Final = "visitor_id"
SESSION: Final = "session_id"
KIND: Final = "kind"
NAME: Final = "name"
CATEGORY: Final = "category"
BRAND: Final = "brand"
ATTRIBUTES: Final = "attributes"
PRICE: Final = "price"
RELEASED_ON: Final = "released_on"
TIMEZONE: Final = "timezone"
RANK: Final = "rank"
SCORE: Final = "score"
PROBABILITY: Final = "probability"
SOURCE: Final = "source"

SOURCES: Final[tuple[str, ...]] = (
    "repeat",
    "cycle",
    "neighbours",
    "taste",
    "states",
    "cosine",
    "bm25",
    "baskets",
    "walk",
    "als",
    "hybrid",
    "ease",
    "next_basket",
    "content",
    "web",
    "popular",
    "trend",
    "store",
)
"""Candidate models, by the name each gives itself."""

EVIDENCE: Final[tuple[str, ...]] = (
    "none",
    "bought_before",
    "neighbours",
    "bought_with",
    "viewed",
    "similar_name",
    "category",
    "popular",
)
"""What explains a suggestion; `evidence_value` holds the count or similarity that goes with it."""
