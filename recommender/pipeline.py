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
from recommender.moment import NOBODY, Moment, read_moment, read_stock
from recommender.online_events import RecentEvent
from recommender.presentation import present
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.rules.base import Occasion
from recommender.rules.consent import may_profile as profiling_allowed
from recommender.rules.diversity import spread
from recommender.rules.focus import with_focus
from recommender.rules.holdout import HOLDOUT, arm_of
from recommender.rules.mix import mixed
from recommender.shortlist import shortlist

UNKNOWN_SHARES = np.zeros(0, np.float32)
CHANCE = Random()
"""One per worker, seeded by the system: seeding one for every set costs more than all that is drawn from it."""


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
    moment: Moment | None = None,
) -> SuggestionSet:
    """A new set of suggestions for one customer in a store, not yet written down.

    Without a customer it is the anonymous path: what goes with the products at hand, and what is popular here.
    `events` are the web events of the last days; `random` makes exploration repeatable;
    `extra` are further candidates that go with the products at hand; `moment` is what was just read of the customer.
    """
    micros, k = to_micros(now), request.k
    catalogue = loaded.catalogue
    if moment is None:
        customer_id = request.customer_id
        moment = read_moment(session, catalogue, customer_id, now=now) if customer_id is not None else NOBODY
    may_profile = request.names_somebody and profiling_allowed(moment.consent, policy.consent_default)
    day = catalogue.local_day(request.store_id, now)
    held = [n for p in (*request.basket, *request.seen_products) if (n := catalogue.number(p)) >= 0]
    campaigns = tuple(
        campaign
        for campaign in catalogue.campaigns
        if campaign.runs(request.store_id, day) and request.campaign_id in (None, campaign.campaign_id)
    )
    occasion = Occasion(
        now=micros,
        day=day,
        store_id=request.store_id,
        moment=moment,
        catalogue=catalogue,
        policy=policy,
        may_profile=may_profile,
        held=frozenset(held),
        campaigns=campaigns,
        repeat_share=loaded.model.arrays.get("repeat_share", UNKNOWN_SHARES),
        acceptance=loaded.acceptance,
    )
    gathered = gather(
        loaded, customer_id=request.customer_id, store_id=request.store_id, events=events, held=held,
        campaigns=campaigns, now=micros, may_profile=may_profile, extra=extra,
    )  # fmt: skip
    found = shortlist(
        gathered.candidates, occasion, wanted=k + policy.exploration_width, kind=request.kind,
        read_stock=lambda products: read_stock(session, request.store_id, products),
    )  # fmt: skip
    found.removed["consent"] += gathered.withheld

    counts = found.removed
    order = list(range(len(found.candidates)))
    if request.kind == "all":
        order, counts["mix"] = mixed(order, found.candidates, found.accepted, occasion, k)
    order, counts["diversity"] = spread(order, found.candidates, occasion, k)
    order, counts["focus"] = with_focus(order, found.candidates, occasion, k, found.score)

    arm = arm_of(request.customer_id, policy.holdout, policy.holdout_salt)
    set_id = new_set_id(now)
    share = 0.0 if arm == HOLDOUT else policy.exploration
    chosen = draw(order, k, share=share, width=policy.exploration_width, random=random or CHANCE)
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
        consent=may_profile,
    )
