"""Questionnaires: what is asked, of whom, how often; drafts that the CoE edits, versions that never change."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from apiflask import APIBlueprint
from flask import redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from analytics.rates import rate
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.questionnaire_templates import TEMPLATES
from clerk_ui.database_sessions import reading, request_time, writing
from clerk_ui.languages import current_language, t
from clerk_ui.management import csv_file, frame, signed_in
from clerk_ui.security import require_form_token
from journey.errors import Conflict, InputError
from journey.questionnaires import (
    KINDS,
    LOOKS,
    TOUCHPOINTS,
    Question,
    Questionnaire,
    Sampling,
    find_version,
    newest_version,
    publish,
    retire,
    save_draft,
    versions,
)
from journey.survey_invitations import answered_share
from journey.surveys import answered_surveys

blueprint = APIBlueprint("surveys", "clerk_ui.coe", enable_openapi=False)
SPARE_ROWS = 3
COLUMNS = ("survey_id", "version", "state", "name", "kind", "touchpoint", "asked", "answered", "rate", "low", "high",
           "published_at", "published_by")  # fmt: skip
NAMES = (
    "touchpoint", "overall", "nps", "emotional_trust", "emotional_attachment", "emotional_recommend",
    "rational_price", "rational_convenience", "rational_function", "expectation", "return_intent", "comment",
)  # fmt: skip


@blueprint.get("/coe/surveys")
@require_role("coe")
def page() -> str:
    """The list."""
    return _list("")


@blueprint.get("/coe/surveys.csv")
@require_role("coe")
def download() -> Response:
    """All versions with how many were asked and answered, as a file."""
    return csv_file("surveys", COLUMNS, [_row(version) for version in versions(reading())])


@blueprint.get("/coe/surveys/new")
@require_role("coe")
def new() -> str:
    """The form for a new survey, from a template or empty."""
    chosen = TEMPLATES.get(request.args.get("template", ""))
    return _form(chosen or {"questions": [], "sampling": asdict(Sampling())}, known=False)


@blueprint.get("/coe/surveys/<survey_id>/draft")
@require_role("coe")
def edit(survey_id: str) -> str | Response:
    """The form for the next version: the draft there is, else a copy of the newest version."""
    newest = newest_version(reading(), survey_id)
    return redirect("/coe/surveys") if newest is None else _form(_document(newest), known=True)


@blueprint.post("/coe/surveys")
@require_role("coe")
def save() -> str | Response | tuple[str, int]:
    """Save a draft."""
    require_form_token()
    given = request.form
    known = bool(given.get("known"))
    try:
        with writing() as session:
            draft = save_draft(
                session, survey_id=given.get("survey_id", "").strip(), name=given.get("name", ""),
                kind=given.get("kind", ""), touchpoint=given.get("touchpoint") or None, questions=_questions(given),
                sampling=_sampling(given), by=f"account:{signed_in().account_id}", now=request_time(),
            )  # fmt: skip
            address = f"/coe/surveys/{draft.survey_id}/{draft.version}"
    except InputError as error:
        return _form(_typed(given), known=known, message=t("voice.cannot", why=error.what)), 422
    return redirect(address, 303)


@blueprint.get("/coe/surveys/<survey_id>/<int:version>")
@require_role("coe")
def show(survey_id: str, version: int) -> str:
    """One version: what the customer sees, who is asked, and publishing where it is a draft."""
    return _show(find_version(reading(), survey_id, version))


@blueprint.get("/coe/surveys/<survey_id>/<int:version>/preview")
@require_role("coe")
def preview(survey_id: str, version: int) -> str:
    """The customer's page as it will look; nothing on it works."""
    questionnaire = find_version(reading(), survey_id, version)
    return render_template(
        "survey/page.html", questionnaire=questionnaire, state="open", comment=None, unanswered=False, longest=0,
        words=current_language(), preview=True,
    )  # fmt: skip


@blueprint.post("/coe/surveys/<survey_id>/<int:version>/publication")
@require_role("coe")
def publish_one(survey_id: str, version: int) -> str | Response | tuple[str, int]:
    """Put a draft into use."""
    require_form_token()
    try:
        with writing() as session:
            publish(session, survey_id, version, by=f"account:{signed_in().account_id}", now=request_time())
    except Conflict:
        return _list(t("voice.no_draft")), 409
    return redirect(f"/coe/surveys/{survey_id}/{version}", 303)


@blueprint.post("/coe/surveys/<survey_id>/retirement")
@require_role("coe")
def retire_one(survey_id: str) -> str | Response | tuple[str, int]:
    """Stop asking."""
    require_form_token()
    try:
        with writing() as session:
            retire(session, survey_id, by=f"account:{signed_in().account_id}", now=request_time())
    except Conflict:
        return _list(t("voice.nothing_published")), 409
    return redirect("/coe/surveys", 303)


def _list(message: str) -> str:
    rows = [_row(version) for version in versions(reading())]
    shown: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        shown.setdefault(row["survey_id"], []).append(row)
    delivered = [survey for survey in answered_surveys(reading()) if survey.survey_id not in shown]
    return render_template(
        "coe/surveys.html", **frame("surveys"), surveys=shown, delivered=delivered, message=message,
        templates=TEMPLATES, running=sum(row["state"] == "published" for row in rows),
    )  # fmt: skip


def _show(questionnaire: Questionnaire) -> str:
    return render_template(
        "coe/survey.html", **frame("surveys"), questionnaire=questionnaire, row=_row(questionnaire),
        sampling=questionnaire.sampling,
    )  # fmt: skip


def _form(given: dict[str, Any], *, known: bool, message: str = "") -> str:
    rows = given["questions"] + [{}] * SPARE_ROWS
    return render_template(
        "coe/survey_form.html", **frame("surveys"), given=given, rows=rows, known=known, message=message, kinds=KINDS,
        looks=LOOKS, touchpoints=TOUCHPOINTS, names=NAMES,
    )  # fmt: skip


def _row(version: Questionnaire) -> dict[str, Any]:
    asked, answered = answered_share(reading(), version.survey_id)
    found = rate(answered, asked)
    own = {name: getattr(version, name) for name in COLUMNS if hasattr(version, name)}
    interval = {"rate": found.value, "low": found.low, "high": found.high} if found else {}
    return own | {"asked": asked, "answered": answered, "rate": None, "low": None, "high": None} | interval


def _document(version: Questionnaire) -> dict[str, Any]:
    return {
        "survey_id": version.survey_id, "name": version.name, "kind": version.kind,
        "touchpoint": version.touchpoint or "", "questions": list(version.questions),
        "sampling": asdict(version.sampling), "state": version.state, "version": version.version,
    }  # fmt: skip


def _typed(given: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, to be shown again as it was."""
    rows = _question_rows(given)
    sampling = {name: given.get(name, "") for name in Sampling.__dataclass_fields__}
    return {name: given.get(name, "") for name in ("survey_id", "name", "kind", "touchpoint")} | {
        "questions": rows, "sampling": sampling, "as_typed": True,
    }  # fmt: skip


def _question_rows(given: MultiDict[str, str]) -> list[dict[str, str]]:
    fields = ("question", "about", "look", "low", "high", "ja", "en")
    columns = [given.getlist(f"q_{field}") for field in fields]
    rows = [dict(zip(("question", "touchpoint", *fields[2:]), row, strict=True)) for row in zip(*columns, strict=False)]
    return [row for row in rows if row["question"].strip()]


def _questions(given: MultiDict[str, str]) -> list[Question]:
    found = []
    for row in _question_rows(given):
        low, high = (
            0 if row["look"] == "comment" and not row[side].strip() else _whole(row[side], side)
            for side in ("low", "high")
        )
        found.append(
            Question(
                row["question"].strip(), row["touchpoint"] if row["question"].strip() == "touchpoint" else "",
                row["look"], low, high, row["ja"].strip()[:200], row["en"].strip()[:200],
            )
        )  # fmt: skip
    return found


def _sampling(given: MultiDict[str, str]) -> Sampling:
    low = given.get("low_score", "").strip()
    whole = {
        name: _whole(given.get(name, ""), name)
        for name in Sampling.__dataclass_fields__
        if name not in ("share", "low_score")
    }
    return Sampling(share=_share(given), low_score=_whole(low, "low_score") if low else None, **whole)


def _share(given: MultiDict[str, str]) -> float:
    """The share is typed in per cent."""
    try:
        return float(given.get("share", "")) / 100
    except ValueError as error:
        raise InputError("share: a number of per cent", where="share") from error


def _whole(text: str, field: str) -> int:
    if not text.strip().isascii() or not text.strip().isdigit() or len(text) > 6:
        raise InputError(f"{field}: a whole number", where=field)
    return int(text)
