"""The one place where HTTP meets the recommender: asking for suggestions, and telling it what has just happened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy.orm import Session

from clerk_ui.application_settings import settings
from clerk_ui.languages import current_language
from clerk_ui.metrics import PLAINER
from clerk_ui.settings import Settings
from journey.database import to_micros
from journey.errors import OsusumeError, Unavailable
from recommender.event_memory import seen_of
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.serving import Recommender, online_store

KEY = "osusume.recommender"


def init_app(app: Flask) -> None:
    """Make this worker's recommender; the model itself is read with the first request, after the fork."""
    with app.app_context():
        storage = settings().storage
        app.extensions[KEY] = Recommender(storage.home, online_store(storage.redis_url), policy_of(settings()))


def policy_of(chosen: Settings) -> Policy:
    """The chain's choices as the recommender takes them."""
    return Policy(
        consent_default=chosen.chain.consent_default == "allowed",
        exploration=chosen.web.exploration,
        holdout=chosen.web.holdout,
        holdout_salt=chosen.chain.name,
        first_purchase_value=chosen.web.first_purchase_value,
        restricted_categories=tuple(
            name.strip() for name in chosen.web.restricted_categories.split("|") if name.strip()
        ),
    )


def recommender() -> Recommender:
    """This worker's recommender."""
    found = current_app.extensions[KEY]
    assert isinstance(found, Recommender)
    return found


def suggestions(session: Session, request: SuggestionRequest, *, now: datetime) -> SuggestionSet:
    """A new set for a customer, on record as shown when this returns.

    Raises:
        Unavailable: no model has been promoted yet.
        NotFound: nobody has the customer's id.
    """
    made = recommender().suggest(session, request, now=now, language=current_language())
    recommender().store(session, made)
    return made


def suggestions_for_product(
    session: Session, product_id: str, request: SuggestionRequest, *, now: datetime
) -> SuggestionSet:
    """What goes with an item, for nobody in particular; on record as shown when this returns.

    Raises:
        Unavailable: no model has been promoted yet.
    """
    made = recommender().suggest_for_product(session, product_id, request, now=now, language=current_language())
    recommender().store(session, made)
    return made


def tell_events(rows: Iterable[Mapping[str, Any]]) -> None:
    """Web events that were committed: the next suggestions heed them."""
    recommender().online.record(seen_of(rows))


def tell_change(customer_ids: Iterable[str], *, now: datetime) -> None:
    """Something about these customers was committed (an outcome, a dismissal, a purchase): nothing that was made
    ahead for them holds any longer.
    """
    for customer_id in customer_ids:
        recommender().note_outcome(customer_id, now=now)


def tell_identity(customer_ids: Iterable[str]) -> None:
    """Whose events these are has changed: the next suggestions read them from the database again."""
    recommender().online.forget(customer_ids)


def tell_arrival(session: Session, store_id: str, customer_id: str, *, at: datetime, now: datetime) -> None:
    """A customer is in the store: have the first suggestions ready before a clerk asks."""
    recommender().online.arrive(store_id, customer_id, to_micros(at))
    make_ahead(session, store_id, customer_id, now=now)


def make_ahead(session: Session, store_id: str, customer_id: str, *, now: datetime) -> None:
    """Have the first suggestions for a customer ready; without a model nothing is made and nothing fails."""
    try:
        recommender().make_ahead(session, customer_id, store_id, now=now)
    except Unavailable:
        PLAINER.labels("ahead").inc()


def states() -> dict[str, dict[str, Any]]:
    """How the parts are that suggestions need; outcomes are taken without any of them."""
    try:
        state = recommender().state()
    except OsusumeError as error:
        return {"model": {"state": "degraded", "detail": error.sentence}}
    version, trouble = state["model"], state["trouble"]
    where = "Redis" if settings().storage.redis_url else "in this process"
    reachable = state["online_store"]
    return {
        "model": {
            "state": "ok" if version and not trouble else "degraded",
            "detail": trouble or version or "no model has been promoted; run: osusume train",
        },
        "online_store": {
            "state": "ok" if reachable else "degraded",
            "detail": where if reachable else f"{where} does not answer; suggestions are read from the database",
        },
    }
