"""What the clerk is shown of a chosen candidate: name, price, stock, reason, what to say, marks."""

from __future__ import annotations

from recommender.columns import SOURCES
from recommender.exploration import Draw
from recommender.reasons import gather_evidence, talk_line, tell
from recommender.requests import EXPLORE, REPEAT, Proposal
from recommender.rules.focus import is_focus
from recommender.shortlist import Shortlist


def present(found: Shortlist, chosen: Draw, *, set_id: str, language: str) -> tuple[Proposal, ...]:
    """The chosen entries in the order shown, from rank 1."""
    candidates, occasion = found.candidates, found.occasion
    catalogue = occasion.catalogue
    focus = is_focus(candidates, occasion) if occasion.campaigns else None
    bought = list(occasion.moment.bought) if occasion.may_profile else []
    bought_categories = set(catalogue.category[bought].tolist()) if bought else ()
    shown = []
    for rank, (entry, propensity) in enumerate(zip(chosen.shown, chosen.propensity, strict=True), start=1):
        product = int(candidates.product[entry])
        is_new = bool(candidates.is_new[entry])
        marks = []
        if is_new and occasion.may_profile:
            category = int(catalogue.category[product])
            marks.append("first_in_category" if 0 <= category not in bought_categories else "first_purchase")
        if focus is not None and focus[entry]:
            marks.append("focus")
        if rank - 1 == chosen.slot:
            marks.append("explored")
        evidence = gather_evidence(candidates, entry, occasion)
        shown.append(
            Proposal(
                suggestion_id=f"{set_id}-{rank}",
                rank=rank,
                product_id=catalogue.id_of(product),
                name=catalogue.names[product],
                category=catalogue.category_of(product),
                brand=catalogue.brands[product],
                price=catalogue.prices[product],
                picture=catalogue.pictures[product],
                score=float(candidates.probability[entry]),
                probability=float(found.accepted[entry]),
                propensity=propensity,
                kind=EXPLORE if is_new else REPEAT,
                source=SOURCES[int(candidates.source[entry])],
                evidence=evidence,
                reason=tell(evidence, language),
                talk=talk_line(evidence, language),
                stock=occasion.stock.get(product),
                marks=tuple(marks),
            )
        )
    return tuple(shown)
