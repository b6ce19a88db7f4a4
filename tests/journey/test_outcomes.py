from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.errors import Conflict, InputError, NotFound
from journey.local_days import day_bounds, local_date, zone
from journey.outcome_recording import Tap, record_outcome, retract
from journey.outcomes import Outcome
from journey.stores import Store
from journey.suggestions import Suggestion
from journey.tablet_clock import true_moment

NOON = datetime(2026, 11, 23, 3, tzinfo=UTC)  # noon in Tokyo
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def shown(session: Session) -> Session:
    session.add(Store(store_id="S1", name="新宿店", timezone="Asia/Tokyo"))
    session.add(Suggestion(suggestion_id="s", store_id="S1", shown_at=NOON - HOUR, product_id="P", rank=1))
    session.flush()
    return session


def tap(outcome_id: str, at: datetime, result: str = "bought", **more: Any) -> Tap:
    return Tap(outcome_id, "s", "C1", result, at, **more)


def current(session: Session) -> list[str]:
    session.expire_all()
    return list(session.scalars(select(Outcome.outcome_id).where(Outcome.current)))


def test_a_clock_is_believed_within_five_minutes() -> None:
    for error in (timedelta(), 4 * MINUTE, -4 * MINUTE):
        assert true_moment(NOON, received_at=NOON, sent_at=NOON + error) == NOON


@pytest.mark.parametrize("error", [DAY, -DAY, 6 * MINUTE, -400 * DAY])
def test_a_wrong_clock_is_put_right_also_after_hours_in_the_outbox(error: timedelta) -> None:
    waited = 3 * HOUR
    moment = true_moment(NOON + error, received_at=NOON + waited, sent_at=NOON + waited + error)
    assert moment == NOON


def test_what_cannot_be_is_ordered_by_its_arrival() -> None:
    assert true_moment(NOON + DAY, received_at=NOON) == NOON
    assert true_moment(NOON - DAY, received_at=NOON, not_before=NOON - HOUR) == NOON
    assert true_moment(NOON - DAY, received_at=NOON) == NOON - DAY


def test_one_outcome_is_current_whatever_the_order_of_arrival(shown: Session) -> None:
    taps = [tap("a", NOON), tap("b", NOON + MINUTE, "declined"), tap("c", NOON - MINUTE, "considering")]
    for arrival, one in enumerate(taps):
        assert record_outcome(shown, one, now=NOON + HOUR + arrival * MINUTE).added
    assert current(shown) == ["b"]
    retract(shown, "b", now=NOON + 2 * HOUR)
    assert current(shown) == ["a"]
    assert not record_outcome(shown, taps[1], now=NOON + 3 * HOUR).added  # sent again: it stays taken back
    assert current(shown) == ["a"]
    retract(shown, "a", now=NOON + 2 * HOUR)
    retract(shown, "c", now=NOON + 2 * HOUR)
    retract(shown, "c", now=NOON + 2 * HOUR)
    assert current(shown) == []


def test_imported_outcomes_without_an_order_count_by_their_time(shown: Session) -> None:
    shown.add(
        Outcome(outcome_id="old", suggestion_id="s", clerk_id="C1", occurred_at=NOON, result="declined", current=True)
    )
    shown.flush()
    record_outcome(shown, tap("new", NOON + MINUTE), now=NOON + HOUR)
    assert current(shown) == ["new"]
    record_outcome(shown, tap("older", NOON - MINUTE), now=NOON + HOUR)
    assert current(shown) == ["new"]


def test_the_same_id_with_other_content_is_refused(shown: Session) -> None:
    record_outcome(shown, tap("a", NOON), now=NOON)
    for other in (tap("a", NOON, "declined"), tap("a", NOON + MINUTE), tap("a", NOON, why="price")):
        with pytest.raises(Conflict):
            record_outcome(shown, other, now=NOON)
    assert not record_outcome(
        shown, tap("a", NOON, sent_at=NOON + DAY), now=NOON + HOUR
    ).added  # when it is sent is no content


def test_corrections_end_with_the_day_of_the_store(shown: Session) -> None:
    late = datetime(2026, 11, 23, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    record_outcome(shown, tap("a", NOON), now=NOON, correct_until="end of day")
    record_outcome(shown, tap("b", late), now=late, correct_until="end of day")
    with pytest.raises(InputError) as caught:
        record_outcome(shown, tap("c", late + MINUTE), now=late + MINUTE, correct_until="end of day")
    assert caught.value.facts["until"] == "2026-11-23T15:00:00+00:00"
    record_outcome(shown, tap("d", late - MINUTE), now=late + DAY, correct_until="end of day")  # waited over night
    with pytest.raises(InputError):
        retract(shown, "a", now=late + MINUTE, limit="end of day")
    retract(shown, "a", now=late + MINUTE)
    assert current(shown) == ["b"]


def test_what_was_never_shown_has_no_outcome(shown: Session) -> None:
    with pytest.raises(NotFound, match="no suggestion 'x'"):
        record_outcome(shown, Tap("a", "x", "C1", "bought", NOON), now=NOON)
    with pytest.raises(InputError, match="is no result"):
        record_outcome(shown, tap("a", NOON, "sold"), now=NOON)
    with pytest.raises(NotFound):
        retract(shown, "none", now=NOON)


def test_days_begin_where_the_store_is() -> None:
    tokyo, berlin = zone("Asia/Tokyo"), zone("Europe/Berlin")
    assert local_date(datetime(2026, 11, 22, 15, tzinfo=UTC), tokyo).isoformat() == "2026-11-23"
    start, end = day_bounds(datetime(2026, 3, 29, 12, tzinfo=UTC).date(), berlin)
    assert end - start == timedelta(hours=23)  # summer time begins
    assert zone("no/where").key == "Asia/Tokyo"
