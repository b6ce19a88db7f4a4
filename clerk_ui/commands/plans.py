"""``osusume plan``: computes a proposal of shifts that a manager asked for, or a new one."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any

import click

from analytics.staffing.proposal import PLAN_DAYS, PLAN_SECONDS, plan_inputs, propose
from clerk_ui.commands.console import Desk, at_desk
from journey.database import reading, writing
from journey.errors import InputError, OsusumeError
from journey.local_days import local_date, store_zone
from journey.shift_plans import ShiftPlanRecord, ask_for_plan, find_plan, plan_step

TOLD_EVERY = 2.0  # seconds between two notes of progress


@click.command()
@click.option("--store", default=None, help="A new plan for this store, from tomorrow.")
@click.option("--plan", "plan_id", default=None, help="The plan that was asked for on the screen.")
@click.option("--days", default=PLAN_DAYS, show_default=True, type=click.IntRange(1, PLAN_DAYS))
@click.option("--seconds", default=PLAN_SECONDS, show_default=True, type=click.FloatRange(1, 600))
@at_desk
def plan_command(desk: Desk, store: str | None, plan_id: str | None, days: int, seconds: float) -> None:
    """Compute a proposal of shifts within availability and labour rules, and keep it for the manager's screen."""
    if (store is None) == (plan_id is None):
        raise InputError("a store or a plan", where="osusume plan", what_to_do="give --store or --plan")
    with writing(desk.engine) as session:
        if plan_id is None:
            assert store is not None
            tomorrow = local_date(desk.now, store_zone(session, store, desk.settings.chain.timezone)) + timedelta(1)
            plan = ask_for_plan(
                session, store, first_day=tomorrow, days=days, actor="command line", now=desk.now
            )  # fmt: skip
        else:
            plan = find_plan(session, plan_id)
        plan_step(session, plan.plan_id, state="running", step="reading")
    document = compute_plan(desk, plan, seconds)
    after = document["after"]
    desk.show(
        {"plan_id": plan.plan_id} | document,
        lambda: desk.say(
            f"plan {plan.plan_id}: {len(document['shifts'])} shifts, {after['short_hours']:g} clerk hours short, "
            f"{after['over_hours']:g} over"
        ),
    )


def compute_plan(desk: Desk, plan: ShiftPlanRecord, seconds: float) -> dict[str, Any]:
    """Compute a plan and keep it; what went wrong is kept with the plan too, and raised."""
    tz_default = desk.settings.chain.timezone
    try:
        with reading(desk.engine) as session:
            tz = store_zone(session, plan.store_id, tz_default)
            today: date = local_date(desk.now, tz)
            given = plan_inputs(
                session, plan.store_id, first_day=plan.first_day, days=plan.days, tz=tz, today=today
            )  # fmt: skip
        told = -TOLD_EVERY

        def tell(number: int, took: float) -> None:
            nonlocal told
            if took - told >= TOLD_EVERY:
                told = took
                with writing(desk.engine) as session:
                    plan_step(session, plan.plan_id, state="running", step=f"{number}")
                desk.progress(f"plan {number} after {took:.0f} s")

        started = time.perf_counter()
        document = propose(given, seconds=seconds, found_one=tell)
        document["seconds"] = round(time.perf_counter() - started, 1)
    except Exception as error:
        reason = str(error.facts.get("problem", "trouble")) if isinstance(error, OsusumeError) else "trouble"
        with writing(desk.engine) as session:
            plan_step(session, plan.plan_id, state="failed", step=reason, now=datetime.now(desk.now.tzinfo))
        raise
    with writing(desk.engine) as session:
        now = datetime.now(desk.now.tzinfo)
        plan_step(session, plan.plan_id, state="ready", document=document, now=now)
    return document
