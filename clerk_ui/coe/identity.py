"""The One ID page: what is tied to a person, who may be there twice, whose cookies are not linked, what many share."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from clerk_ui import recommendations
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.languages import t
from clerk_ui.management import frame, signed_in
from clerk_ui.security import require_form_token
from journey.audit import record_act
from journey.customers import Customer, customers_by_id
from journey.errors import Conflict, NotFound
from journey.identity import latest_merges, linked_values
from journey.identity_review import declare_different, declared_different, no_longer_different
from journey.one_id import link, merge, undo_merge

blueprint = APIBlueprint("identity", "clerk_ui.coe", enable_openapi=False)
SHOWN = 20
MOST_LINKED_AT_ONCE = 500


@blueprint.get("/coe/identity")
@require_role("coe")
def page() -> str:
    """The page."""
    return _page("")


@blueprint.post("/coe/identity/merges")
@require_role("coe")
def join() -> str | Response | tuple[str, int]:
    """Two customers are one person: everything of both leads to the survivor. Can be taken back here."""
    require_form_token()
    survivor, merged = request.form.get("survivor", "")[:64], request.form.get("merged", "")[:64]
    proposed = next((d for d in _doubles() if {d["a"], d["b"]} == {survivor, merged}), None)
    evidence = {"proposed": proposed["evidence"], "score": proposed["score"]} if proposed else None
    try:
        with writing() as session:
            no_longer_different(session, survivor, merged)
            merge(session, survivor, merged, actor=_actor(), now=request_time(), evidence=evidence)
    except (NotFound, Conflict):
        return _page(t("identity.too_late")), 409
    recommendations.tell_identity([survivor, merged])
    return redirect("/coe/identity#doubles", 303)


@blueprint.post("/coe/identity/merges/<int:merge_id>/undo")
@require_role("coe")
def part(merge_id: int) -> str | Response | tuple[str, int]:
    """Take a merge back: everything returns to whom it was delivered for."""
    require_form_token()
    try:
        with writing() as session:
            made = undo_merge(session, merge_id, actor=_actor(), now=request_time())
    except (NotFound, Conflict):
        return _page(t("identity.too_late")), 409
    recommendations.tell_identity([made.survivor_id, made.merged_id])
    return redirect("/coe/identity#decided", 303)


@blueprint.post("/coe/identity/different")
@require_role("coe")
def keep_apart() -> Response:
    """Two customers are two people; they are not proposed again."""
    require_form_token()
    one, other = request.form.get("one", "")[:64], request.form.get("other", "")[:64]
    if one and other and one != other and len(customers_by_id(reading(), [one, other])) == 2:
        with writing() as session:
            declare_different(session, one, other, actor=_actor(), now=request_time())
    return redirect("/coe/identity#doubles", 303)


@blueprint.post("/coe/identity/links")
@require_role("coe")
def link_cookies() -> Response:
    """Link the cookies under which one customer alone has logged in; each can be taken back by `customer unlink`."""
    require_form_token()
    rows = _links()[:MOST_LINKED_AT_ONCE]
    linked = set()
    with writing() as session:
        for row in rows:
            try:
                link(session, "cookie", row["value"], row["customer_id"], actor=_actor(), now=request_time())
            except (Conflict, NotFound):
                continue  # somebody was quicker, or the person was erased meanwhile
            linked.add(row["customer_id"])
    recommendations.tell_identity(linked)
    return redirect("/coe/identity#links", 303)


def _page(message: str) -> str:
    session = reading()
    stored = kept("one_id")
    found = stored.document if stored else None
    doubles, links = _doubles(), _links()
    merges = latest_merges(session, limit=SHOWN)
    cards = found["shared_cards"][:SHOWN] if found else []
    ids = [*(d[side] for d in doubles[:SHOWN] for side in ("a", "b")), *(c["customer_id"] for c in cards)]
    ids += [user["user_id"] for card in cards for user in card.get("users", [])]
    ids += [customer for made in merges for customer in (made.survivor_id, made.merged_id)]
    _audit(len(doubles))
    return render_template(
        "coe/identity.html", **frame("one_id"), **as_of(stored), found=found, message=message,
        doubles=[d | {"survivor": _elder(session, d)} for d in doubles[:SHOWN]], more=max(0, len(doubles) - SHOWN),
        links=links, gained=sum(row["anonymous"] for row in links), merges=merges, cards=cards,
        cookies=found["shared_cookies"][:SHOWN] if found else [], people=customers_by_id(session, ids),
        trends=_trends(found["coverage"]) if found else {},
    )  # fmt: skip


def _doubles() -> list[dict[str, Any]]:
    """The proposals nobody has decided on yet."""
    stored = kept("one_id")
    if stored is None:
        return []
    session = reading()
    proposed: list[dict[str, Any]] = stored.document["doubles"]
    present = customers_by_id(session, [d[side] for d in proposed for side in ("a", "b")])
    apart = declared_different(session)
    return [
        d
        for d in proposed
        if (d["a"], d["b"]) not in apart
        and all(side in present and present[side].merged_into is None for side in (d["a"], d["b"]))
    ]


def _links() -> list[dict[str, Any]]:
    stored = kept("one_id")
    proposed: list[dict[str, Any]] = stored.document["links"] if stored else []
    done = linked_values(reading(), [row["value"] for row in proposed])
    return [row for row in proposed if row["value"] not in done]


def _elder(session: Session, double: dict[str, Any]) -> str:
    """Who survives: the customer who joined first, since most cards and habits hang on that one."""
    people = customers_by_id(session, [double["a"], double["b"]])

    def joined(customer: Customer) -> tuple[bool, str, str]:
        return customer.joined_on is None, str(customer.joined_on), customer.customer_id

    return min(people.values(), key=joined).customer_id


def _trends(coverage: list[dict[str, Any]]) -> dict[str, list[float]]:
    """The share tied to a person month by month, for each kind of fact and channel."""
    lines: dict[str, list[float]] = {}
    for row in coverage:
        lines.setdefault(f"{row['what']}/{row['channel']}", []).append(row["rate"])
    return lines


def _actor() -> str:
    return f"account:{signed_in().account_id}"


def _audit(proposals: int) -> None:
    with writing() as session:
        record_act(
            session, at=request_time(), actor=_actor(), action="identity.viewed", subject_kind="page",
            subject_id="one_id", detail={"proposals": proposals},
        )  # fmt: skip
