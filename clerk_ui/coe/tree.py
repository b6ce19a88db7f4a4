"""The tree KGI → KPI → action on one page, and the week's brief made of the same figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Response, jsonify, render_template

from clerk_ui.application_settings import settings
from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.actions import plans_with_effects
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.coe.words import measure_name
from clerk_ui.database_sessions import reading, request_time
from clerk_ui.management import csv_file, frame, signed_in
from journey.actions import ActionPlan
from journey.local_days import local_date, zone
from journey.survey_tasks import tasks

blueprint = APIBlueprint("tree", "clerk_ui.coe", enable_openapi=False)
SHOWN = 5
BRANCH_COLUMNS = (
    "kgi",
    "kpi",
    "value",
    "low",
    "high",
    "n",
    "impact",
    "field",
    "action",
    "unit",
    "owner",
    "state",
    "verdict",
)
Branch = dict[str, Any]


@blueprint.get("/coe/tree")
@require_role("coe")
def tree() -> str:
    """The tree."""
    stored = kept("experience")
    branches = _branches()
    return render_template(
        "coe/tree.html", **frame("tree"), **as_of(stored), overall=_part("overall"), branches=branches,
        bare=[b for b in branches if b["field"] == "improve_first" and not b["actions"]],
    )  # fmt: skip


@blueprint.get("/coe/tree.csv")
@require_role("coe")
def download() -> Response:
    """The tree as a file: one row per action, and one per KPI without any."""
    rows = []
    for branch in _branches():
        whole = {"kgi": "overall"} | {name: branch.get(name) for name in BRANCH_COLUMNS if name in branch}
        hung = branch["actions"] or [(None, None)]
        for plan, told in hung:
            own = {"action": plan.finding, "unit": plan.unit, "owner": plan.owner, "state": plan.state} if plan else {}
            rows.append(whole | own | {"verdict": told["verdict"] if told else None})
    return csv_file("tree", BRANCH_COLUMNS, rows)


@blueprint.get("/coe/brief")
@require_role("coe")
def brief() -> str:
    """The week's brief, to be printed or read aloud."""
    return render_template("coe/brief.html", **frame("brief"), **as_of(kept("experience")), brief=week())


@blueprint.get("/coe/brief.json")
@require_role("coe")
def brief_document() -> Response:
    """The same as a document."""
    return jsonify(week())


def week() -> dict[str, Any]:
    """What the week's meeting needs: KGI with its change, what to improve first, complaints, follow-ups, actions."""
    session, now = reading(), request_time()
    today = local_date(now, zone(None, settings().chain.timezone))
    drivers, voice = kept("drivers"), kept("voice")
    themes = voice.document["themes"] if voice else []
    open_tasks = tasks(session, store_id=None, today=today)
    done = [task for task in tasks(session, store_id=None, today=today, done=True) if task.task.done_at is not None]
    plans = plans_with_effects(session, signed_in())
    return {
        "week": {"from": (today - timedelta(days=6)).isoformat(), "to": today.isoformat()},
        "kgi": {name: _part(name) for name in ("overall", "heart", "head", "nps")},
        "improve_first": [
            {name: row[name] for name in ("touchpoint", "lmg", "low", "high", "performance", "n")}
            for row in (drivers.document["drivers"] if drivers else [])
            if row["field"] == "improve_first"
        ],
        "complaints": [
            {name: theme[name] for name in ("theme", "n", "negative", "change", "q_value")}
            for theme in sorted(themes, key=lambda theme: -theme["negative"])[:SHOWN]
            if theme["negative"]
        ],
        "follow_ups": {
            "open": len(open_tasks), "overdue": sum(task.overdue for task in open_tasks),
            "done_this_week": sum(now - task.task.done_at < timedelta(days=7) for task in done if task.task.done_at),
        },
        "actions": [
            {
                "action_id": plan.action_id, "finding": plan.finding, "unit": plan.unit, "owner": plan.owner,
                "kpi": plan.kpi, "kpi_name": measure_name(plan.kpi), "state": plan.state,
                "due_on": plan.due_on.isoformat(),
                "late": plan.state in ("proposed", "running") and plan.due_on < today,
                "effect": told and told["effect"], "low": told and told["low"], "high": told and told["high"],
                "effect_unit": told and told["effect_unit"], "verdict": told["verdict"] if told else None,
            }
            for plan, told in plans
            if plan.state in ("proposed", "running")
            or (plan.closed_at is not None and now - plan.closed_at < timedelta(days=28))
        ],
    }  # fmt: skip


def _part(name: str) -> dict[str, Any] | None:
    stored = kept("experience")
    if stored is None:
        return None
    part = stored.document[name]
    value = part["value"] if name == "nps" else part["score"]
    return {"value": value, "low": part["low"], "high": part["high"], "n": part["n"], "change": part["change"]}


def _branches() -> list[Branch]:
    """The KPIs by falling impact on the KGI, each with its actions; then the KPIs that only actions name."""
    drivers, experience = kept("drivers"), kept("experience")
    plans = plans_with_effects(reading(), signed_in())
    judged = {row["touchpoint"]: row for row in experience.document["touchpoints"]} if experience else {}
    branches: list[Branch] = []
    for row in drivers.document["drivers"] if drivers else []:
        marks = judged.get(row["touchpoint"], {})
        name = f"csat:{row['touchpoint']}"
        branches.append(
            {
                "kpi": name, "name": measure_name(name), "value": marks.get("csat", row["performance"]),
                "low": marks.get("low"), "high": marks.get("high"), "n": marks.get("n", row["n"]),
                "impact": row["lmg"], "field": row["field"], "actions": _hung(plans, name),
            }
        )  # fmt: skip
    named = {branch["kpi"] for branch in branches}
    unknown = dict.fromkeys(("value", "low", "high", "n", "impact", "field"))
    return branches + [
        {"kpi": other, "name": measure_name(other), **unknown, "actions": _hung(plans, other)}
        for other in sorted({_plain(plan.kpi) for plan, _ in plans} - named)
    ]


def _hung(
    plans: list[tuple[ActionPlan, dict[str, Any] | None]], kpi: str
) -> list[tuple[ActionPlan, dict[str, Any] | None]]:
    return [(plan, told) for plan, told in plans if _plain(plan.kpi) == kpi and plan.state != "dropped"]


def _plain(kpi: str) -> str:
    """A KPI without the survey it is kept to."""
    return kpi.partition("@")[0]
