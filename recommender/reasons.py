"""Why this product for this customer: facts gathered once, stored with the suggestion, and told in any language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from journey.database import from_micros
from recommender.candidate_set import GROUND, GROUNDS, Candidates
from recommender.reason_texts import REASONS, TALK, WHEN
from recommender.rules.base import Occasion
from recommender.rules.consent import IMPERSONAL

DUE: Final = 0.8
"""From this part of the customer's own usual interval on, a product is due again."""
OVERDUE: Final = 3.0
"""After so many of the usual intervals the customer seems to do without it: nobody speaks of restocking."""
IN_MONTHS: Final = 60
"""From so many days on one speaks of months."""
LONG_AGO: Final = 730
"""After so many days nobody speaks of days, nor of restocking."""
LANGUAGES: Final = ("ja", "en")
NAMED: Final = frozenset(
    ("bought_with", "neighbours", "viewed", "similar_name", "category", "in_hand", "seen_with")
)  # fmt: skip
DATED: Final = frozenset(("viewed", "viewed_itself", "searched", "carted", "favorited"))
LIVE_SOURCES_SINCE: Final = 1e12
"""A value from here on is a moment in microseconds; below it, it is a count or a similarity from training."""


def gather_evidence(candidates: Candidates, entry: int, occasion: Occasion) -> dict[str, Any]:
    """The facts behind one candidate, as they are stored: ground, and what of about, name, category, days, times,
    cycle_days and value applies.

    Where the ground needs a product to point to and there is none, or where consent is missing, the evidence falls
    back to a ground that claims less.
    """
    catalogue = occasion.catalogue
    product = int(candidates.product[entry])
    ground = GROUNDS[int(candidates.ground[entry])]
    if not occasion.may_profile and not IMPERSONAL[GROUND[ground]]:
        ground = "popular"
    facts: dict[str, Any] = {"ground": ground}
    value = float(candidates.value[entry])
    if ground == "bought_before":
        bought = occasion.moment.bought.get(product)
        if bought is not None:
            facts["days"] = occasion.day - catalogue.local_day(occasion.store_id, from_micros(bought.last))
            facts["times"] = bought.days
            if bought.days > 1:
                facts["cycle_days"] = round((bought.last - bought.first) / (bought.days - 1) / 86_400_000_000, 1)
        return facts
    about = int(candidates.evidence[entry])
    if ground == "viewed" and about == product:
        ground = facts["ground"] = "viewed_itself"
    if ground in NAMED and about >= 0 and about != product:
        facts["about"] = catalogue.id_of(about)
        facts["name"] = catalogue.names[about]
        if ground == "category" and (path := catalogue.category_of(about)):
            facts["category"] = path.rsplit(" > ", 1)[-1]
    if ground in DATED and value >= LIVE_SOURCES_SINCE:
        facts["days"] = max(occasion.day - catalogue.local_day(occasion.store_id, from_micros(int(value))), 0)
    elif 0 < value < LIVE_SOURCES_SINCE:
        facts["value"] = round(value, 4)
    return facts


def tell(evidence: Mapping[str, Any], language: str = "ja") -> str:
    """The reason as one sentence; an unknown language is told in Japanese."""
    texts = REASONS.get(language, REASONS["ja"])
    key = _variant(evidence)
    return texts[key].format_map(_Words(evidence, language if language in REASONS else "ja"))


def talk_line(evidence: Mapping[str, Any], language: str = "ja") -> str:
    """What a clerk may say (ひとこと), by the ground of the evidence and, where that matters, its variant."""
    texts = TALK.get(language, TALK["ja"])
    return texts.get(_variant(evidence)) or texts.get(evidence.get("ground", "none"), texts["none"])


def _variant(evidence: Mapping[str, Any]) -> str:
    ground = evidence.get("ground", "none")
    if ground not in GROUND:
        return "none"
    if ground == "bought_before":
        return _repeat_variant(evidence)
    if ground in NAMED and "name" not in evidence:
        # What could not be named may not be claimed by name.
        return {"neighbours": "neighbours/nameless", "category": "category/nameless"}.get(ground, "none")
    if ground == "category" and "category" not in evidence:
        return "category/nameless"
    if ground in DATED and "days" not in evidence:
        return f"{ground}/undated" if ground in ("viewed", "viewed_itself") else "none"
    return str(ground)


def _repeat_variant(evidence: Mapping[str, Any]) -> str:
    if "days" not in evidence:
        return "bought_before"
    days, times, cycle = evidence["days"], evidence.get("times", 1), evidence.get("cycle_days", 0)
    if days > LONG_AGO:
        return "bought_before"
    if cycle and max(DUE * cycle, 2) <= days <= OVERDUE * cycle:
        return "bought_before/due"
    if times > 1:
        return "bought_before/often" if days > 0 else "bought_before/often_today"
    return "bought_before/once" if days > 0 else "bought_before/today"


class _Words(dict[str, Any]):
    """The facts, and the words made of them."""

    def __init__(self, evidence: Mapping[str, Any], language: str) -> None:
        super().__init__(evidence)
        if "days" in evidence:
            days = int(evidence["days"])
            form = min(days, 2) if days < IN_MONTHS else 3
            self["when"] = WHEN[language][form].format(days=days, months=round(days / 30.4))
            self["days_ago"] = self["when"].removesuffix("に")
