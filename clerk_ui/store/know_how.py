"""Know-how: what those who succeed do otherwise, made into cards, and what the cards do."""

from __future__ import annotations

import math
import uuid
from datetime import date
from typing import Any

from apiflask import APIBlueprint
from flask import Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from analytics import know_how
from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.languages import catalogue, current_language, t
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from clerk_ui.store.forms import line, optional
from journey.audit import record_act
from journey.errors import NotAllowed
from journey.know_how_cards import (
    LIVE,
    SITUATIONS,
    CardText,
    KnowHowCard,
    card_of,
    cards,
    make_card,
    publish_card,
    retire_card,
    rewrite_card,
)
from journey.local_days import local_date, zone
from journey.products import categories

blueprint = APIBlueprint("know_how", "clerk_ui.store", enable_openapi=False)
FINDING_COLUMNS = (
    "practice", "odds_ratio", "low", "high", "p_value", "q_value", "n", "without", "clerks", "rate_with",
    "rate_without", "extra_accepted", "supported",
)  # fmt: skip
CARD_COLUMNS = (
    "card_id", "title", "talk_line", "store_id", "category", "product_id", "situation", "state", "live_at", "clerks",
    "seen_by", "tried_by", "tried", "odds_ratio", "low", "high", "verdict", "advice",
)  # fmt: skip


@blueprint.get("/store/know-how")
@require_role("manager", "coe")
def page() -> str:
    """Findings and cards."""
    found = know_how.findings(reading())
    practices = found["practices"] if found else []
    wanted = [one for practice in practices for one in practice["examples"]]
    listed = [(card, _standing(card)) for card in cards(reading(), store_id=_scope())]
    return render_template(
        "store/know_how.html",
        **frame("know_how"),
        found=found,
        practices=[practice | {"name": practice_name(practice["practice"])} for practice in practices],
        supported=[one for one in practices if one["supported"]],
        reach=max([0.3, *(max(abs(_log(p["low"])), abs(_log(p["high"]))) for p in practices)]),
        log=_log,
        examples=know_how.examples(reading(), wanted),
        cards=listed,
        live=[card for card, _ in listed if card.state == LIVE],
        to_retire=[card for card, standing in listed if standing["advice"] == "retire"],
        practice_name=practice_name,
    )


@blueprint.get("/store/know-how/findings.csv")
@require_role("manager", "coe")
def findings_download() -> Response:
    """The findings as a file."""
    found = know_how.findings(reading())
    return csv_file("know-how", FINDING_COLUMNS, found["practices"] if found else [])


@blueprint.get("/store/know-how/cards.csv")
@require_role("manager", "coe")
def cards_download() -> Response:
    """The cards with their adoption and effect as a file."""
    rows = []
    for card in cards(reading(), store_id=_scope()):
        standing = _standing(card)
        rows.append(vars(card) | standing | standing["effect"])
    return csv_file("know-how-cards", CARD_COLUMNS, rows)


@blueprint.get("/store/know-how/cards/new")
@require_role("manager", "coe")
def new_card() -> str:
    """The form of a card, filled from a finding where one is named."""
    practice = request.args.get("practice")
    known = f"know_how.card_title_{practice}" in catalogue(current_language())
    draft = CardText(
        title=t(f"know_how.card_title_{practice}") if known else (practice_name(practice) if practice else ""),
        talk_line=t(f"know_how.card_talk_{practice}") if known else "",
        how=t(f"know_how.card_how_{practice}") if known else "",
        practice=practice,
    )
    return _form(draft, None)


@blueprint.get("/store/know-how/cards/<card_id>")
@require_role("manager", "coe")
def card_page(card_id: str) -> str:
    """One card: what it says, where it fits, who uses it, what it does."""
    card = _visible(card_id)
    return render_template(
        "store/know_how_card.html",
        **frame("know_how"),
        card=card,
        standing=_standing(card),
        mine=_may_change(card),
        practice_name=practice_name,
        window=know_how.WINDOW_DAYS,
    )


@blueprint.get("/store/know-how/cards/<card_id>/text")
@require_role("manager", "coe")
def edit_card(card_id: str) -> str:
    """The form of a draft."""
    card = _changeable(card_id)
    return _form(card, card)


@blueprint.post("/store/know-how/cards")
@require_role("manager", "coe")
def create() -> AnyResponse:
    """Write a draft, with the finding's figures as they are today."""
    require_form_token()
    text, card_id = _text(), str(uuid.uuid4())
    found = know_how.findings(reading())
    evidence = next((p for p in found["practices"] if p["practice"] == text.practice), None) if found else None
    with writing() as session:
        make_card(session, card_id, text, store_id=_scope(), by=signed_in().account_id, now=request_time(),
                  evidence=evidence)  # fmt: skip
        _record(session, card_id, "know_how.drafted")
    return redirect(f"/store/know-how/cards/{card_id}", 303)


@blueprint.post("/store/know-how/cards/<card_id>/text")
@require_role("manager", "coe")
def rewrite(card_id: str) -> AnyResponse:
    """Change a draft."""
    require_form_token()
    _changeable(card_id)
    with writing() as session:
        rewrite_card(session, card_id, _text())
        _record(session, card_id, "know_how.rewritten")
    return redirect(f"/store/know-how/cards/{card_id}", 303)


@blueprint.post("/store/know-how/cards/<card_id>/publication")
@require_role("manager", "coe")
def publish(card_id: str) -> AnyResponse:
    """Put a draft on the tablets."""
    require_form_token()
    _changeable(card_id)
    with writing() as session:
        publish_card(session, card_id, now=request_time())
        _record(session, card_id, "know_how.published")
    return redirect(f"/store/know-how/cards/{card_id}", 303)


@blueprint.post("/store/know-how/cards/<card_id>/retirement")
@require_role("manager", "coe")
def retire(card_id: str) -> AnyResponse:
    """Take a card off the tablets."""
    require_form_token()
    _changeable(card_id)
    with writing() as session:
        retire_card(session, card_id, why=line("why", 500), now=request_time())
        _record(session, card_id, "know_how.retired")
    return redirect("/store/know-how#cards", 303)


def practice_name(practice: str) -> str:
    """A practice in words; a reason that the screen gave is named by its code."""
    key = f"know_how.practice_{practice}"
    if key in catalogue(current_language()):
        return t(key)
    code = practice.removeprefix("reason_")
    ground = f"know_how.ground_{code}"
    return t("know_how.practice_reason", reason=t(ground) if ground in catalogue(current_language()) else code)


def _log(ratio: float) -> float:
    return math.log(max(ratio, 1e-9))


def _scope() -> str | None:
    """A manager's cards are the store's, the CoE's are the whole chain's."""
    person = signed_in()
    return None if person.role in ("coe", "admin") else person.store_id


def _today() -> date:
    return local_date(request_time(), zone(None, settings().chain.timezone))


def _standing(card: KnowHowCard) -> dict[str, Any]:
    if "card_effects" not in g:  # once a request, however many cards it shows
        g.card_effects = know_how.kept_effects(reading())
    return know_how.card_standing(reading(), card, today=_today(), kept=g.card_effects)


def _visible(card_id: str) -> KnowHowCard:
    """The card, if it is the whole chain's or of a store that this person may see."""
    card = card_of(reading(), card_id)
    if _scope() is not None and card.store_id not in (None, _scope()):
        raise NotAllowed(
            "this card is another store's", where="card_id", what_to_do="open your own", problem="other-store"
        )
    return card


def _may_change(card: KnowHowCard) -> bool:
    return _scope() is None or card.store_id == _scope()


def _changeable(card_id: str) -> KnowHowCard:
    card = _visible(card_id)
    if not _may_change(card):
        raise NotAllowed("this card is the whole chain's", where="card_id", what_to_do="ask the CoE to change it")
    return card


def _text() -> CardText:
    return CardText(
        title=line("title", 80),
        talk_line=line("talk_line", 200),
        how=line("how", 2000),
        practice=optional("practice"),
        category=optional("category"),
        product_id=optional("product_id", 64),
        situation=line("situation") or "any",
    )


def _form(text: CardText | KnowHowCard, card: KnowHowCard | None) -> str:
    return render_template(
        "store/know_how_form.html",
        **frame("know_how"),
        text=text,
        card=card,
        situations=SITUATIONS,
        categories=categories(reading()),
        practice_name=practice_name,
    )


def _record(session: Any, card_id: str, action: str) -> None:
    record_act(
        session, at=request_time(), actor=f"account:{signed_in().account_id}", action=action,
        subject_kind="know_how_card", subject_id=card_id,
    )  # fmt: skip
