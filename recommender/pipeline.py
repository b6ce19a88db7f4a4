"""From a request to a set of suggestions: candidates → rules → order → exploration → reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

import numpy as np
from sqlalchemy.orm import Session

from journey.database import to_micros
from recommender.candidate_set import Candidates
from recommender.exploration import draw
from recommender.gathering import LoadedModel, gather
from recommender.made_ahead import new_set_id
from recommender.moment import Moment, read_moment
from recommender.online_events import RecentEvent
from recommender.presentation import present
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.rules.base import Occasion
from recommender.rules.consent import may_profile
from recommender.rules.diversity import spread
from recommender.rules.focus import with_focus
from recommender.rules.holdout import HOLDOUT, arm_of
from recommender.rules.mix import with_something_new
from recommender.shortlist import shortlist

UNKNOWN_SHARES = np.zeros(0, np.float32)


def compose(
    session: Session,
    loaded: LoadedModel,
    events: Sequence[RecentEvent],
    request: SuggestionRequest,
    *,
    now: datetime,
    policy: Policy,
    language: str = "ja",
    random: Random | None = None,
    extra: Sequence[Candidates] = (),
) -> SuggestionSet:
    """A new set of suggestions for one customer in a store, not yet written down.

    Without a customer it is the anonymous path: what goes with the products at hand, and what is popular here.
    `events` are the web events of the last days; `random` makes exploration repeatable;
    `extra` are further candidates that go with the products at hand.
    """
    micros, k = to_micros(now), request.k
    catalogue = loaded.catalogue
    day = catalogue.local_day(request.store_id, now)
    held = [n for p in (*request.basket, *request.seen_products) if (n := catalogue.number(p)) >= 0]
    campaigns = tuple(
        campaign
        for campaign in catalogue.campaigns
        if campaign.runs(request.store_id, day) and request.campaign_id in (None, campaign.campaign_id)
    )

    ids: dict[int, str] = {}

    def look(products: Sequence[int], earlier: Moment | None) -> Occasion:
        named = {number: catalogue.products[number] for number in products}
        ids.update(named)
        seen = read_moment(
            session,
            customer_id=None if earlier else request.customer_id,
            store_id=request.store_id,
            products=list(named.values()),
            now=now,
        )
        moment = earlier.with_stock(seen.stock) if earlier else seen
        return Occasion(
            now=micros,
            day=day,
            store_id=request.store_id,
            moment=moment,
            catalogue=catalogue,
            policy=policy,
            may_profile=request.names_somebody and may_profile(moment.consent, policy.consent_default),
            held=frozenset(held),
            campaigns=campaigns,
            ids=ids,
            repeat_share=loaded.model.arrays.get("repeat_share", UNKNOWN_SHARES),
        )

    gathered = gather(
        loaded, customer_id=request.customer_id, store_id=request.store_id, events=events, held=held,
        campaigns=campaigns, now=micros, extra=extra,
    )  # fmt: skip
    found = shortlist(gathered, wanted=k + policy.exploration_width, kind=request.kind, policy=policy, look=look)

    counts = found.removed
    order = list(range(len(found.candidates)))
    order, counts["diversity"] = spread(order, found.candidates, found.occasion, k)
    if request.kind == "all":
        order, counts["mix"] = with_something_new(order, found.candidates, found.occasion, k)
    order, counts["focus"] = with_focus(order, found.candidates, found.occasion, k, found.score)

    arm = arm_of(request.customer_id, policy.holdout, policy.holdout_salt)
    set_id = new_set_id(now)
    share = 0.0 if arm == HOLDOUT else policy.exploration
    chosen = draw(order, k, share=share, width=policy.exploration_width, random=random or Random(set_id))
    proposals = present(found, chosen, set_id=set_id, language=language)
    counts["exploration"] = int(chosen.slot >= 0)
    counts["holdout"] = len(proposals) if arm == HOLDOUT else 0

    return SuggestionSet(
        set_id=set_id,
        shown_at=now,
        model=loaded.version,
        policy=policy.name,
        arm=arm,
        request=request,
        proposals=() if arm == HOLDOUT else proposals,
        withheld=proposals if arm == HOLDOUT else (),
        rules={name: count for name, count in counts.items() if count},
        consent=found.occasion.may_profile,
    )
