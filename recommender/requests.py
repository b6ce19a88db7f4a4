"""What serving is asked for, by what policy it answers, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Kind = Literal["all", "repeat", "explore"]
REPEAT, EXPLORE = "repeat", "explore"


@dataclass(frozen=True)
class SuggestionRequest:
    """Who asks for whom. `seen_products` were looked at or scanned just now, `basket` is what the customer holds.

    With `visitor_id` and no customer, the web events of that cookie count.
    """

    store_id: str
    customer_id: str | None = None
    clerk_id: str | None = None
    device_id: str | None = None
    k: int = 5
    kind: Kind = "all"
    seen_products: tuple[str, ...] = ()
    basket: tuple[str, ...] = ()
    visitor_id: str | None = None
    channel: str | None = None
    """Where it is shown, if not by a clerk: ec or app."""
    campaign_id: str | None = None
    """Only this campaign's focus merchandise counts; None: all that run in the store today."""

    @property
    def names_somebody(self) -> bool:
        """Whether there is a person whose behaviour could be known."""
        return self.customer_id is not None or self.visitor_id is not None


@dataclass(frozen=True)
class Policy:
    """The chain's choices. Days are calendar days of the store; shares are between 0 and 1."""

    consent_default: bool = True
    exploration: float = 0.1
    holdout: float = 0.0
    holdout_salt: str = ""
    max_per_category: int = 2
    just_bought_days: int = 14
    repeat_share: float = 0.3
    """From this share of buyers who buy a product again on, it counts as a repeat product."""
    restricted_categories: tuple[str, ...] = ()
    """Categories, by path or by the name of a level, that are never inferred, as if each product said so itself."""
    declined_days: int = 30
    fatigue_days: int = 4
    """Shown on so many days of the last 60 without interest, a product rests."""
    focus_slots: int = 1
    focus_worth: float = 0.3
    """Focus merchandise takes a slot if it is worth at least this share of what it displaces."""
    first_purchase_value: float = 2.0
    """What a first purchase is worth against a repeat purchase."""
    exploration_width: int = 10

    @property
    def name(self) -> str:
        """As logged with every suggestion."""
        return f"ranked-e{self.exploration:g}"


class Proposal(NamedTuple):
    """One suggestion as shown; `reason` and `talk` can be written again in any language from `evidence`."""

    suggestion_id: str
    rank: int
    product_id: str
    name: str
    category: str | None
    brand: str | None
    price: Decimal | None
    picture: str | None
    """The address of a picture as the master data give it."""
    score: float
    """The chance of a purchase as the models and what is known now state it."""
    probability: float
    """The chance that the proposal is accepted, learnt from outcomes on top of the score."""
    propensity: float
    kind: str
    source: str
    evidence: Mapping[str, Any]
    reason: str
    talk: str
    stock: float | None
    marks: tuple[str, ...]
    """Among first_in_category, first_purchase, focus, explored."""


@dataclass(frozen=True)
class SuggestionSet:
    """What one request was answered with. In the hold-out arm `proposals` is empty and `withheld` is logged."""

    set_id: str
    shown_at: datetime
    model: str
    policy: str
    arm: str
    request: SuggestionRequest
    proposals: tuple[Proposal, ...]
    withheld: tuple[Proposal, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    """How many candidates each rule removed or moved."""
    consent: bool = True
