"""Five weeks of counters and shifts in the invented shop, rolled up, with a plan ready: what staffing pages show."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from analytics import staffing
from analytics.staffing.proposal import plan_inputs, propose
from journey.local_days import zone
from journey.outcomes import FollowUp
from journey.rosters import Shift
from journey.shift_plans import ask_for_plan, plan_step
from journey.traffic import Traffic
from tests.browser.shop import CLERKS, HANAKO, STORE

NOW = datetime.now(UTC)
TOKYO = zone("Asia/Tokyo")
RUSH = {12: 30, 17: 44, 18: 52}  # people in these hours; 14 in the others


def staffed_weeks(session: Session, *, solve: float = 2.0) -> None:
    """Quiet days with a rush after work that two clerks cannot serve; somebody to come back to, and a plan of a week.

    *solve* are the seconds the solver gets.
    """
    today = NOW.astimezone(TOKYO).date()
    for back in range(-1, 36):
        day = today - timedelta(days=back)
        opening = datetime(day.year, day.month, day.day, 10, tzinfo=TOKYO).astimezone(UTC)
        for place, (clerk, _) in enumerate(CLERKS):
            if (place + back) % 7 < 5:
                begins = opening + timedelta(hours=2 * (place % 2))
                session.add(Shift(clerk_id=clerk, store_id=STORE, starts_at=begins, duty="floor",
                                  ends_at=begins + timedelta(hours=8)))  # fmt: skip
        for hour in range(11) if back > 0 else ():
            entered = RUSH.get(10 + hour, 14) + (hour * back) % 5
            session.add(Traffic(store_id=STORE, starts_at=opening + timedelta(hours=hour), minutes=60, entered=entered))
    for number in range(3):
        session.add(
            FollowUp(
                follow_up_id=f"late-{number}", customer_id=HANAKO, store_id=STORE, clerk_id="C1",
                due_on=today - timedelta(days=2 + number), text="新しい香りのご案内", created_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    staffing.roll_up(session, now=NOW)
    tomorrow = today + timedelta(days=1)
    plan = ask_for_plan(session, STORE, first_day=tomorrow, days=7, actor="account:M1", now=NOW)
    given = plan_inputs(session, STORE, first_day=tomorrow, days=7, tz=TOKYO, today=today)
    document = propose(given, seconds=solve) | {"seconds": solve}
    plan_step(session, plan.plan_id, state="ready", document=document, now=NOW)
