"""Know-how cards (接客ノウハウカード): a practice that works, its talk line, where it fits, who saw and tried it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from journey.database import Base, Instant
from journey.errors import Conflict, InputError, NotFound
from journey.products import Product
from journey.suggestions import Suggestion

DRAFT, LIVE, RETIRED = STATES = ("draft", "live", "retired")
# any moment; the customer never bought this product; bought it before; looked at it on the web
ANY, NEW, FAMILIAR, VIEWED = SITUATIONS = ("any", "new", "familiar", "viewed")
SEEN, TRIED = USES = ("seen", "tried")
VIEWED_GROUNDS = ("viewed", "viewed_itself", "searched", "carted", "favorited")  # what the recommender cites


class KnowHowCard(Base):
    """A practice worth passing on. ``store_id`` empty: for the whole chain.

    It fits where ``category`` (with all below it), ``product_id`` and ``situation`` agree; empty is anything.
    ``practice`` names the finding it was made from and ``evidence`` keeps that finding's figures as they were.
    """

    __tablename__ = "know_how_cards"
    __table_args__ = (Index(None, "state"),)

    card_id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str | None]
    title: Mapped[str]
    talk_line: Mapped[str]
    how: Mapped[str]
    practice: Mapped[str | None]
    category: Mapped[str | None]
    product_id: Mapped[str | None]
    situation: Mapped[str]
    state: Mapped[str]
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    made_by: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(Instant)
    live_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_at: Mapped[datetime | None] = mapped_column(Instant)
    retired_why: Mapped[str | None]


class KnowHowUse(Base):
    """A clerk saw a card, or tried what it says; sent under an id made by the tablet."""

    __tablename__ = "know_how_uses"
    __table_args__ = (Index(None, "card_id", "clerk_id"), Index(None, "clerk_id"))

    use_id: Mapped[str] = mapped_column(primary_key=True)
    card_id: Mapped[str]
    clerk_id: Mapped[str]
    store_id: Mapped[str]
    kind: Mapped[str]
    suggestion_id: Mapped[str | None]
    used_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class CardText:
    """What a manager writes on a card."""

    title: str
    talk_line: str
    how: str = ""
    practice: str | None = None
    category: str | None = None
    product_id: str | None = None
    situation: str = ANY


@dataclass(frozen=True)
class Occasion:
    """Where a card fits: category (with all below it), product and situation; None is anything."""

    category: str | None
    product_id: str | None
    situation: str

    @property
    def particular(self) -> int:
        """How much it asks for; of two cards that fit, the more particular one says more."""
        return 4 * bool(self.product_id) + 2 * bool(self.category) + (self.situation != ANY)

    def suits(
        self, product_id: str | None, category: str | None, kind: str | None, evidence: Mapping[str, Any] | None
    ) -> bool:
        """Whether a suggestion of this product, made on this evidence, is such an occasion."""
        if self.product_id and self.product_id != product_id:
            return False
        if self.category and not f"{category or ''} > ".startswith(f"{self.category} > "):
            return False
        suits: dict[str, bool] = {
            ANY: True,
            NEW: kind == "explore",
            FAMILIAR: kind == "repeat",
            VIEWED: (evidence or {}).get("ground") in VIEWED_GROUNDS,
        }
        return suits[self.situation]


@dataclass(frozen=True)
class Adoption:
    """How far a card has come: clerks who saw and who tried it, how often, and when each clerk first saw it."""

    seen_by: int
    tried_by: int
    tried: int
    first_seen: dict[str, datetime]


def make_card(
    session: Session,
    card_id: str,
    text: CardText,
    *,
    store_id: str | None,
    by: str,
    now: datetime,
    evidence: dict[str, Any] | None = None,
) -> KnowHowCard:
    """Write a draft. Raises InputError where the text is incomplete or the product unknown."""
    _check(session, text)
    card = KnowHowCard(
        card_id=card_id, store_id=store_id, state=DRAFT, evidence=evidence, made_by=by, made_at=now, live_at=None,
        retired_at=None, retired_why=None, **vars(text),
    )  # fmt: skip
    session.add(card)
    session.flush()
    return card


def rewrite_card(session: Session, card_id: str, text: CardText) -> KnowHowCard:
    """Change a draft. Raises Conflict for a card that is live: its effect would be of two texts."""
    _check(session, text)
    card = card_of(session, card_id)
    _require_state(card, DRAFT)
    for name, value in vars(text).items():
        setattr(card, name, value)
    session.flush()
    return card


def publish_card(session: Session, card_id: str, *, now: datetime) -> KnowHowCard:
    """Put a draft on the tablets."""
    card = card_of(session, card_id)
    _require_state(card, DRAFT)
    card.state, card.live_at = LIVE, now
    session.flush()
    return card


def retire_card(session: Session, card_id: str, *, why: str, now: datetime) -> KnowHowCard:
    """Take a card off the tablets, or a draft off the list; what it did stays known."""
    card = card_of(session, card_id)
    if card.state == RETIRED:
        raise _wrong_state(card)
    card.state, card.retired_at, card.retired_why = RETIRED, now, why
    session.flush()
    return card


def card_of(session: Session, card_id: str) -> KnowHowCard:
    """The card of that id.

    Raises:
        NotFound: there is none.
    """
    card = session.get(KnowHowCard, card_id)
    if card is None:
        raise NotFound(f"no know-how card {card_id!r}", where="card_id", what_to_do="look at the list of cards")
    return card


def cards(session: Session, *, store_id: str | None, states: Sequence[str] = STATES) -> list[KnowHowCard]:
    """Cards of a store and of the whole chain (None: of every store), the newest first."""
    query = select(KnowHowCard).where(KnowHowCard.state.in_(states))
    if store_id is not None:
        query = query.where(or_(KnowHowCard.store_id.is_(None), KnowHowCard.store_id == store_id))
    return list(session.scalars(query.order_by(KnowHowCard.made_at.desc(), KnowHowCard.card_id)))


def fitting(session: Session, live: Iterable[KnowHowCard], suggestion_ids: Sequence[str]) -> dict[str, list[str]]:
    """Card id → those of these suggestions that it fits, in their order; cards that fit none are left out."""
    rows = session.execute(
        select(Suggestion.suggestion_id, Suggestion.product_id, Suggestion.kind, Suggestion.evidence, Product.category)
        .outerjoin(Product, Product.product_id == Suggestion.product_id)
        .where(Suggestion.suggestion_id.in_(suggestion_ids))
    )
    known = {row.suggestion_id: (row.product_id, row.category, row.kind, row.evidence) for row in rows}
    found: dict[str, list[str]] = {}
    for card in live:
        fits = occasion(card)
        matches = [one for one in suggestion_ids if one in known and fits.suits(*known[one])]
        if matches:
            found[card.card_id] = matches
    return found


def occasion(card: KnowHowCard) -> Occasion:
    """Where a card fits."""
    return Occasion(card.category, card.product_id, card.situation)


def record_use(
    session: Session,
    use_id: str,
    *,
    card_id: str,
    clerk_id: str,
    store_id: str,
    kind: str,
    used_at: datetime,
    suggestion_id: str | None = None,
) -> tuple[KnowHowUse, bool]:
    """Keep that a clerk saw or tried a card, once under one id. Returns it, and whether it is new.

    Raises:
        NotFound: no such card.
        Conflict: the id exists with other content.
    """
    card_of(session, card_id)
    known = session.get(KnowHowUse, use_id)
    if known is not None:
        if (known.card_id, known.clerk_id, known.kind) != (card_id, clerk_id, kind):
            raise Conflict(
                f"use {use_id} exists with other content", where="use_id", what_to_do="send it under a new id"
            )
        return known, False
    use = KnowHowUse(
        use_id=use_id, card_id=card_id, clerk_id=clerk_id, store_id=store_id, kind=kind,
        suggestion_id=suggestion_id, used_at=used_at,
    )  # fmt: skip
    session.add(use)
    session.flush()
    return use, True


def adoption(session: Session, card_id: str) -> Adoption:
    """Who saw and tried a card."""
    rows = session.execute(
        select(KnowHowUse.clerk_id, KnowHowUse.kind, func.min(KnowHowUse.used_at), func.count())
        .where(KnowHowUse.card_id == card_id)
        .group_by(KnowHowUse.clerk_id, KnowHowUse.kind)
    ).all()
    first: dict[str, datetime] = {}
    for clerk, _, moment, _ in rows:
        first[clerk] = min(first.get(clerk, moment), moment)
    tried = [(clerk, count) for clerk, kind, _, count in rows if kind == TRIED]
    return Adoption(len(first), len(tried), sum(count for _, count in tried), first)


def _check(session: Session, text: CardText) -> None:
    for name in ("title", "talk_line"):
        if not getattr(text, name).strip():
            raise InputError("is empty", where=name, what_to_do="write one sentence")
    if text.situation not in SITUATIONS:
        raise InputError(
            f"{text.situation!r} is no situation", where="situation", what_to_do=f"use one of {', '.join(SITUATIONS)}"
        )
    if text.product_id and session.get(Product, text.product_id) is None:
        raise InputError(f"no product {text.product_id!r}", where="product_id", what_to_do="use a product's own id")


def _require_state(card: KnowHowCard, state: str) -> None:
    if card.state != state:
        raise _wrong_state(card)


def _wrong_state(card: KnowHowCard) -> Conflict:
    return Conflict(f"the card is {card.state}", where="card_id", what_to_do="make a new draft")
