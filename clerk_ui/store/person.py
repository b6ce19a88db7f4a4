"""One clerk's page: for the clerk's own eyes first, and for the manager of the store."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request

from analytics import staff_success
from analytics.staff_success.roll_up import case_mix_or_nothing
from clerk_ui.auth.requirements import require_role
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.store.pictures import trend_picture
from clerk_ui.store.subjects import SPANS, Span, Subject, colleague, keep_view_of, oneself, span
from journey.accounts import account_names
from journey.audit import views_of
from journey.coaching import MEASURES, entries
from journey.contests import WISHES, contests
from journey.errors import InputError

blueprint = APIBlueprint("person", "clerk_ui.store", enable_openapi=False)
ROWS_AT_ONCE = 100
MOST_ROWS = 100_000
COLUMNS = (
    "shown_at", "store_id", "product_id", "product_name", "category", "rank", "probability", "result", "why",
    "confirmed", "first_purchase", "suggestion_id", "outcome_id",
)  # fmt: skip


@blueprint.get("/store/me")
@require_role("clerk", "manager")
def mine() -> str:
    """One's own page."""
    return _page(oneself())


@blueprint.get("/store/people/<clerk_id>")
@require_role("manager", "coe")
def theirs(clerk_id: str) -> str:
    """A clerk's page as the manager sees it."""
    return _page(colleague(clerk_id))


@blueprint.get("/store/me/rows")
@require_role("clerk", "manager")
def my_rows() -> str:
    """The rows behind one's own figures, each of which may be contested."""
    return _rows(oneself())


@blueprint.get("/store/people/<clerk_id>/rows")
@require_role("manager", "coe")
def their_rows(clerk_id: str) -> str:
    """The rows behind a clerk's figures."""
    return _rows(colleague(clerk_id))


@blueprint.get("/store/me/rows.csv")
@require_role("clerk", "manager")
def my_download() -> Response:
    """The same rows as a file."""
    return _download(oneself())


@blueprint.get("/store/people/<clerk_id>/rows.csv")
@require_role("manager", "coe")
def their_download(clerk_id: str) -> Response:
    """The same rows as a file."""
    return _download(colleague(clerk_id))


@blueprint.get("/store/me/everything.json")
@require_role("clerk", "manager")
def my_export() -> dict[str, Any]:
    """All that is kept about the own work: figures, coaching, contests, and who looked."""
    subject, asked = oneself(), span()
    keep_view_of(subject, "staff.exported")
    return figures(subject, asked) | {
        "coaching": [_plain(entry) for entry in entries(reading(), subject.clerk_id)],
        "contests": [_plain(row.contest) for row in contests(reading(), clerk_id=subject.clerk_id)],
        "looked": [{"at": at, "who": who, "what": what} for at, who, what in _viewers(subject, limit=1000)],
    }


def figures(subject: Subject, asked: Span) -> dict[str, Any]:
    """What the page shows of a clerk: the report's row (None: nothing yet), strengths, trend, the chain's counts."""
    session = reading()
    mix = case_mix_or_nothing(session)
    found = staff_success.standings(session, mix, asked.start, asked.end, store=subject.store_id)
    row = next((row for row in found.rows if row["clerk_id"] == subject.clerk_id), None)
    return {
        "row": row,
        "strengths": found.strengths.get(subject.clerk_id, []),
        "trend": staff_success.trend_of(session, subject.clerk_id, found, asked.start, asked.end),
        "chain": found.frame["chain"],
        "least": found.frame["min_proposals"],
    }


def _page(subject: Subject) -> str:
    asked = span()
    known = figures(subject, asked)
    row = known["row"]
    keep_view_of(subject)
    session = reading()
    return render_template(
        "store/person.html",
        **frame("me" if subject.own else "team"),
        **known,
        subject=subject,
        asked=asked,
        spans=SPANS,
        steps=staff_success.steps([row] if row else [], known["chain"]),
        picture=trend_picture(known["trend"]),
        reach=max([0.4, *(max(abs(one["low"]), abs(one["high"])) for one in known["strengths"])]),
        coaching=entries(session, subject.clerk_id) if subject.coached else [],
        measures=MEASURES,
        contests=contests(session, clerk_id=subject.clerk_id)[:20],
        viewers=_viewers(subject) if subject.own else [],
        today=request_time().date(),
        author=signed_in().account_id,
        proposed_per_service=row["proposed"] / row["services"] if row and row["services"] else None,
    )


def _viewers(subject: Subject, limit: int = 10) -> list[tuple[Any, str, str]]:
    """Who looked at this clerk's figures, by name."""
    seen = views_of(reading(), "clerk", subject.clerk_id, limit=limit)
    names = account_names(reading(), [actor.removeprefix("account:") for _, actor, _ in seen])
    return [(at, names.get(actor.removeprefix("account:"), actor), action) for at, actor, action in seen]


def _behind(limit: int, offset: int, subject: Subject, asked: Span) -> tuple[list[Any], int, str, str | None]:
    figure = request.args.get("figure", "shown")
    if figure not in staff_success.FIGURES:
        what_to_do = f"use one of {', '.join(staff_success.FIGURES)}"
        raise InputError(f"{figure!r} is no figure", where="figure", what_to_do=what_to_do)
    category = request.args.get("category")
    rows, total = staff_success.proposal_rows(
        reading(), subject.clerk_id, asked.start, asked.end, figure=figure, category=category, limit=limit,
        offset=offset,
    )  # fmt: skip
    return rows, total, figure, category


def _rows(subject: Subject) -> str:
    asked, page = span(), max(1, request.args.get("page", 1, type=int))
    rows, total, figure, category = _behind(ROWS_AT_ONCE, (page - 1) * ROWS_AT_ONCE, subject, asked)
    keep_view_of(subject)
    contested = {row.contest.outcome_id: row.contest.state for row in contests(reading(), clerk_id=subject.clerk_id)}
    return render_template(
        "store/person_rows.html",
        **frame("me" if subject.own else "team"),
        subject=subject,
        asked=asked,
        spans=SPANS,
        rows=rows,
        total=total,
        page=page,
        pages=max(1, -(-total // ROWS_AT_ONCE)),
        figure=figure,
        category=category,
        chosen=staff_success.FIGURES,
        contested=contested,
        wishes=WISHES,
    )


def _download(subject: Subject) -> Response:
    rows, _, figure, _ = _behind(MOST_ROWS, 0, subject, span())
    keep_view_of(subject, "staff.exported")
    return csv_file(f"{subject.clerk_id}-{figure}", COLUMNS, (vars(row) for row in rows))


def _plain(row: Any) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}
