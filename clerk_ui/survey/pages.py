"""The customer's survey: a link, one tap that counts at once, a word if they like. Nothing on it tells who they are.

The token in the address is the only key: no cookie, no sign-in, no script. A foreign page cannot send it as it cannot
know it, so that there is no form token either.
"""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request

from clerk_ui.application_settings import settings
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.languages import current_language
from journey.errors import InputError, NotFound
from journey.survey_answering import LONGEST_COMMENT, Sheet, answer, comment, sheet_of

blueprint = APIBlueprint("survey", "clerk_ui.survey", enable_openapi=False)
GUESSES = RateLimit(30, 60)


@blueprint.get("/survey/<token>")
def page(token: str) -> Response:
    """The survey as it stands for this link."""
    return _page(_sheet(token))


@blueprint.post("/survey/<token>")
def mark(token: str) -> Response:
    """One tap on a mark, or the sheet of a periodic survey; a second time changes nothing."""
    _sheet(token)
    try:
        with writing() as session:
            answer(session, token, request.form, now=request_time(), timezone=settings().chain.timezone)
    except InputError:
        return _page(_sheet(token), unanswered=True)
    return _back(token)


@blueprint.post("/survey/<token>/comment")
def words(token: str) -> Response:
    """The words after the tap."""
    _sheet(token)
    said = request.form.get("comment", "").replace("\x00", "")
    try:
        with writing() as session:
            comment(session, token, said, now=request_time(), timezone=settings().chain.timezone)
    except InputError:
        return _page(_sheet(token), unanswered=True)
    return _back(token)


def _sheet(token: str) -> Sheet:
    try:
        return sheet_of(reading(), token, now=request_time())
    except NotFound:
        limit_attempts(GUESSES)
        raise


def _page(sheet: Sheet, *, unanswered: bool = False) -> Response:
    document = render_template(
        "survey/page.html", questionnaire=sheet.questionnaire, state=sheet.state, comment=sheet.comment,
        unanswered=unanswered, longest=LONGEST_COMMENT, words=current_language(), preview=False,
    )  # fmt: skip
    response = make_response(document, 422 if unanswered else 200)
    # the address is a key: it must reach no other site, no index and no cache
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _back(token: str) -> Response:
    chosen = request.args.get("lang")
    response = redirect(f"/survey/{token}" + (f"?lang={chosen}" if chosen in ("ja", "en") else ""), 303)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response  # type: ignore[return-value]
