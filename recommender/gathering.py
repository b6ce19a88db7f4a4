"""Candidates from every source at hand: the list made ahead, the web, the things at hand, and what is popular."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from recommender.acceptance import Acceptance
from recommender.candidate_set import GROUND, Candidates, join, merge, without
from recommender.catalogue import Campaign, Catalogue
from recommender.columns import SOURCES
from recommender.id_table import as_table
from recommender.live_interest import RATES, in_hand_parts, interests, web_parts
from recommender.online_events import RecentEvent
from recommender.trained import TrainedModel

AHEAD: Final = 120
COLD: Final = 60
COLD_BESIDE_HISTORY: Final = 0.5
"""A popular product that a customer's own list leaves out is less likely for that customer than for the next."""
FOCUS: Final = 20
FOCUS_FLOOR: Final = 0.01


@dataclass(frozen=True)
class LoadedModel:
    """A version with its name and the catalogue in its numbering."""

    version: str
    model: TrainedModel
    catalogue: Catalogue
    acceptance: Acceptance = field(default_factory=Acceptance)
    popular: dict[str, Candidates] = field(default_factory=dict, repr=False)
    """What is popular, by store, made when first asked for."""


@dataclass(frozen=True)
class Gathered:
    """Who may not be profiled gets `candidates` without what rests on their own behaviour; `withheld` counts that."""

    candidates: Candidates
    withheld: int


def gather(
    loaded: LoadedModel, *, customer_id: str | None, store_id: str, events: Collection[RecentEvent],
    held: Sequence[int], campaigns: Sequence[Campaign], now: int, may_profile: bool, extra: Sequence[Candidates] = (),
) -> Gathered:  # fmt: skip
    """Join all sources on one scale of probability; `now` in microseconds UTC, `held` latest last, `extra` whatever
    else goes with the products at hand.
    """
    model = loaded.model
    ahead = ahead_part(model, customer_id)
    rates = RATES | model.parameters.get("live_rates", {})
    web = web_parts(model, interests(events, loaded.catalogue, rates, now=now)) if events else []
    cold = popular_part(loaded, store_id)
    parts = [*in_hand_parts(model, held), *extra]
    if campaigns:
        parts.append(focus_part(campaigns, cold))
    if not may_profile:
        return Gathered(merge([*parts, cold]), len(ahead) + sum(len(part) for part in web))
    if len(ahead):
        cold = without(cold, ahead.product, len(loaded.catalogue.names))
        cold = replace(cold, probability=cold.probability * COLD_BESIDE_HISTORY)
        if not web and not parts:
            return Gathered(join([ahead, cold]), 0)  # nothing stands in both
    return Gathered(merge([ahead, *web, *parts, cold]), 0)


def ahead_part(model: TrainedModel, customer_id: str | None) -> Candidates:
    """The customer's own list, made when the model was trained; empty for somebody it does not know."""
    row = -1 if customer_id is None else as_table(model.customer_ids).find(customer_id)
    return Candidates.empty() if row < 0 else Candidates.of_row(model.ahead, row, AHEAD)


def popular_part(loaded: LoadedModel, store_id: str) -> Candidates:
    """As `cold_part`, made once per store."""
    found = loaded.popular.get(store_id)
    if found is None:
        found = loaded.popular[store_id] = cold_part(loaded.model, store_id)
    return found


def cold_part(model: TrainedModel, store_id: str) -> Candidates:
    """What is popular in the store; the whole chain's list where the model does not know the store."""
    row = as_table(model.store_ids).find(store_id) + 1
    if model.cold.indptr[row] == model.cold.indptr[row + 1]:
        row = 0
    part = Candidates.of_row(model.cold, row, COLD)
    ground = GROUND["popular_here" if row else "popular"]
    return replace(part, ground=np.full(len(part), ground, np.uint8), is_new=np.ones(len(part), np.bool_))


def focus_part(campaigns: Sequence[Campaign], cold: Candidates) -> Candidates:
    """Focus merchandise that may not be among anybody's candidates yet, at the probability of the least popular."""
    focus = np.flatnonzero(np.logical_or.reduce([campaign.focus for campaign in campaigns]))[:FOCUS]
    floor = float(cold.probability.min()) if len(cold) else FOCUS_FLOOR
    return Candidates.uniform(
        focus.astype(np.int32), np.full(len(focus), min(floor, FOCUS_FLOOR)), source=SOURCES.index("popular"),
        ground=GROUND["focus"],
    )  # fmt: skip
