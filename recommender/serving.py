"""What a worker asks: suggestions for a customer, or for a product at hand, by the model in use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from journey.customer_search import one_id
from journey.database import to_micros
from journey.quick_statements import engine_of
from recommender.acceptance import Acceptance
from recommender.catalogue import Catalogues
from recommender.event_memory import recent_events
from recommender.gathering import LoadedModel
from recommender.made_ahead import can_be_ahead, pack, unpack
from recommender.moment import read_moment
from recommender.next_looks import NextLooks
from recommender.online_events import RecentEvent
from recommender.online_store import InProcessOnlineStore, OnlineStore, OnlineView, Seen
from recommender.pipeline import compose
from recommender.redis_store import RedisOnlineStore
from recommender.registry import Registry
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.served_model import ServedModel
from recommender.shown_sets import SetWriter


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
        self._catalogues = Catalogues(self.policy.restricted_categories)
        self._next_looks = NextLooks()
        self._loaded: LoadedModel | None = None
        self._writer = SetWriter()

    def loaded(self, session: Session, *, now: datetime) -> LoadedModel:
        """The model in use with its catalogue.

        Raises:
            Unavailable: no model has been promoted, or none that was can be read.
        """
        version, model = self._served.get()
        catalogue = self._catalogues.get(session, version, model, now=now)
        held = self._loaded
        if held is None or held.model is not model or held.catalogue is not catalogue:
            acceptance = Acceptance.of(model.parameters.get("acceptance"))
            held = self._loaded = LoadedModel(version, model, catalogue, acceptance)
        return held

    def suggest(
        self, session: Session, request: SuggestionRequest, *, now: datetime, language: str = "ja",
        random: Random | None = None,
    ) -> SuggestionSet:  # fmt: skip
        """A new set of suggestions, to be kept by `store` before anybody sees it.

        Raises:
            Unavailable: as `loaded`.
            NotFound: nobody has the customer's id, or the person was erased.
        """
        loaded = self.loaded(session, now=now)
        view = self._view(session, request, now=now)
        if view.ahead is not None and random is None and can_be_ahead(request):
            made = unpack(
                view.ahead, request, version=loaded.version, policy=self.policy.name, language=language, now=now
            )
            if made is not None and one_id(session, request.customer_id or "") == request.customer_id:
                return made
        moment = None
        if request.customer_id is not None:
            moment = read_moment(session, loaded.catalogue, request.customer_id, now=now)
            if not moment.present:  # merged into another: that one is asked for instead
                return self.suggest(
                    session, replace(request, customer_id=one_id(session, request.customer_id)), now=now,
                    language=language, random=random,
                )  # fmt: skip
        return compose(
            session, loaded, view.events, request, now=now, policy=self.policy, language=language, random=random,
            moment=moment,
        )  # fmt: skip

    def suggest_for_product(
        self, session: Session, product_id: str, request: SuggestionRequest, *, now: datetime, language: str = "ja",
        random: Random | None = None,
    ) -> SuggestionSet:  # fmt: skip
        """What goes with an item, for nobody in particular: `request` without a customer; kept as `suggest`'s."""
        seen = (*(p for p in request.seen_products if p != product_id), product_id)
        request = replace(request, customer_id=None, visitor_id=None, seen_products=seen, kind="all")
        loaded = self.loaded(session, now=now)
        return compose(
            session, loaded, (), request, now=now, policy=self.policy, language=language, random=random,
            extra=self._next_looks.parts(loaded, seen),
        )  # fmt: skip

    def store(self, session: Session, answer: SuggestionSet) -> None:
        """Keep what was shown, or in the hold-out arm would have been; on disk when this returns."""
        self._writer.store(engine_of(session), answer)

    def make_ahead(self, session: Session, customer_id: str, store_id: str, *, now: datetime) -> None:
        """Have the answer ready for a customer who is about to be served, for whoever serves them in whatever language;
        nothing is logged until it is shown.
        """
        request = SuggestionRequest(store_id=store_id, customer_id=customer_id)
        view = self._view(session, request, now=now)
        answer = compose(session, self.loaded(session, now=now), view.events, request, now=now, policy=self.policy)
        newest = view.events[0] if view.events else None
        self.online.keep_ahead(customer_id, store_id, pack(answer), newest)

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
