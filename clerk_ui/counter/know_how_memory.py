"""The know-how beside a suggestion: the store's live cards, remembered for a minute, and the one that fits.

It comes with the set and not after it: a line that arrives late moves the buttons under a clerk's finger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from flask import Flask, current_app
from pydantic import Field

from clerk_ui.database_sessions import reading
from clerk_ui.fading_memory import FadingMemory
from clerk_ui.field_types import Document
from journey.know_how_cards import LIVE, Occasion, cards, occasion
from recommender.requests import Proposal

KEY = "osusume.know_how"


class CardHead(Document):
    """What a clerk reads of a card."""

    card_id: str
    title: str
    talk_line: str = Field(description="what to say, one sentence")
    how: str = Field(description="what to do, a few sentences; may be empty")


@dataclass(frozen=True)
class LiveCard:
    """A card as sent (`CardHead`), and where it fits."""

    head: orjson.Fragment
    occasion: Occasion


def init_app(app: Flask) -> None:
    """Make this worker's memory."""
    app.extensions[KEY] = FadingMemory[str, tuple[LiveCard, ...]](seconds=60)


def know_how_beside(proposals: Sequence[Proposal], store_id: str) -> dict[str, orjson.Fragment]:
    """Suggestion id → the card that fits it: the most particular card first, and no card twice in a set."""
    found: dict[str, orjson.Fragment] = {}
    for card in live_cards(store_id):
        for one in proposals:
            if one.suggestion_id not in found and card.occasion.suits(
                one.product_id, one.category, one.kind, one.evidence
            ):
                found[one.suggestion_id] = card.head
                break
    return found


def live_cards(store_id: str) -> tuple[LiveCard, ...]:
    """The store's live cards, the most particular first, of equals the newest."""
    memory: FadingMemory[str, tuple[LiveCard, ...]] = current_app.extensions[KEY]
    kept = memory.get(store_id)
    if kept is None:
        live = [
            LiveCard(
                orjson.Fragment(orjson.dumps({name: getattr(card, name) for name in CardHead.model_fields})),
                occasion(card),
            )
            for card in cards(reading(), store_id=store_id, states=(LIVE,))
        ]
        kept = tuple(sorted(live, key=lambda card: -card.occasion.particular))
        memory.put(store_id, kept)
    return kept
