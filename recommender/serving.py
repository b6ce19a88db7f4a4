"""What a worker asks: suggestions for a customer, or for a product at hand, by the model in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from journey.database import to_micros
from recommender.catalogue import Catalogues
from recommender.event_memory import recent_events
from recommender.gathering import LoadedModel
from recommender.made_ahead import can_be_ahead, pack, unpack
from recommender.next_looks import NextLooks
from recommender.online_events import RecentEvent
from recommender.online_store import InProcessOnlineStore, OnlineStore, OnlineView, Seen
from recommender.pipeline import compose
from recommender.redis_store import RedisOnlineStore
from recommender.registry import Registry
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.served_model import ServedModel
from recommender.shown_sets import record_set


def online_store(redis_url: str) -> OnlineStore:
    """The store on Redis, or its twin in this process where there is no URL."""
    return RedisOnlineStore(redis_url) if redis_url else InProcessOnlineStore()


class Recommender:
    """One per worker: the model in use, what is known of products, the online store, the chain's policy."""

    def __init__(self, home: Path, online: OnlineStore, policy: Policy | None = None) -> None:
        self.registry = Registry(home)
        self.online = online
        self.policy = policy or Policy()
        self._served = ServedModel(self.registry)
        self._catalogues = Catalogues()
        self._next_looks = NextLooks()

    def loaded(self, session: Session, *, now: datetime) -> LoadedModel:
        """The model in use with its catalogue.

        Raises:
            Unavailable: no model has been promoted, or none that was can be read.
        """
        version, model = self._served.get()
        return LoadedModel(version, model, self._catalogues.get(session, version, model, now=now))

    def suggest(
        self, session: Session, request: SuggestionRequest, *, now: datetime, language: str = "ja",
        random: Random | None = None,
    ) -> SuggestionSet:  # fmt: skip
        """A new set of suggestions, inserted into the session as shown; the caller commits.

        Raises:
            Unavailable: as `loaded`.
        """
        loaded = self.loaded(session, now=now)
        view = self._view(session, request, now=now)
        answer = None
        if view.ahead is not None and random is None and can_be_ahead(request):
            answer = unpack(
                view.ahead, request, version=loaded.version, policy=self.policy.name, language=language, now=now
            )
        if answer is None:
            answer = compose(
                session, loaded, view.events, request, now=now, policy=self.policy, language=language, random=random
            )
        record_set(session, answer)
        return answer

    def suggest_for_product(
        self, session: Session, product_id: str, request: SuggestionRequest, *, now: datetime, language: str = "ja",
        random: Random | None = None,
    ) -> SuggestionSet:  # fmt: skip
        """What goes with an item, for nobody in particular: `request` without a customer; written as `suggest`."""
        seen = (*(p for p in request.seen_products if p != product_id), product_id)
        request = replace(request, customer_id=None, visitor_id=None, seen_products=seen, kind="all")
        loaded = self.loaded(session, now=now)
        answer = compose(
            session, loaded, (), request, now=now, policy=self.policy, language=language, random=random,
            extra=self._next_looks.parts(loaded, seen),
        )  # fmt: skip
        record_set(session, answer)
        return answer

    def make_ahead(
        self, session: Session, customer_id: str, store_id: str, *, now: datetime, language: str = "ja"
    ) -> None:
        """Have the answer ready for a customer who is about to be served; nothing is logged until it is shown."""
        request = SuggestionRequest(store_id=store_id, customer_id=customer_id)
        view = self._view(session, request, now=now)
        answer = compose(
            session, self.loaded(session, now=now), view.events, request, now=now, policy=self.policy, language=language
        )
        newest = view.events[0] if view.events else None
        self.online.keep_ahead(customer_id, store_id, pack(answer, language), newest)

    def note_outcome(self, customer_id: str, *, now: datetime) -> None:
        """After an outcome or a dismissal was committed: what was made ahead for the customer no longer holds."""
        self.online.record([Seen(RecentEvent(to_micros(now), "outcome"), customer_id)])

    def state(self) -> dict[str, Any]:
        """For readiness: the version in use, why it is not the promoted one (if so), and the online store."""
        return {
            "model": self.registry.current_version(),
            "trouble": self._served.trouble,
            "online_store": self.online.reachable(),
        }

    def _view(self, session: Session, request: SuggestionRequest, *, now: datetime) -> OnlineView:
        if not request.names_somebody:
            return OnlineView()
        return recent_events(
            session, self.online, customer_id=request.customer_id, visitor_id=request.visitor_id,
            store_id=request.store_id, now=now,
        )  # fmt: skip
