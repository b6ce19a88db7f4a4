"""The rules in the order a retailer reads them, each in a file of its own, each counted.

Those in `REMOVING` take candidates away; after them `diversity`, `mix` and `focus` move what is left, and
`holdout` and `recommender.exploration` decide what of it is shown.
"""

from __future__ import annotations

from typing import Final

from recommender.rules.base import Rule
from recommender.rules.consent import consented
from recommender.rules.declined import not_declined
from recommender.rules.fatigue import not_worn_out
from recommender.rules.just_bought import not_just_bought
from recommender.rules.on_sale import on_sale
from recommender.rules.restricted import allowed
from recommender.rules.stock import in_stock

REMOVING: Final[tuple[tuple[str, Rule], ...]] = (
    ("stock", in_stock),
    ("consent", consented),
    ("on_sale", on_sale),
    ("restricted", allowed),
    ("just_bought", not_just_bought),
    ("declined", not_declined),
    ("fatigue", not_worn_out),
)

RULES: Final = (*(name for name, _ in REMOVING), "diversity", "mix", "focus", "holdout", "exploration")
"""Every name that a count may stand under."""
