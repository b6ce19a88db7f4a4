from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from journey.freshness import freshness
from journey.web import WebEvent

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_latest_fact_and_its_age_are_told(session: Session) -> None:
    for number, days in enumerate((10, 3)):
        session.add(WebEvent(event_id=str(number), occurred_at=NOW - timedelta(days=days), visitor_id="V", kind="view"))
    session.flush()
    found = {entry.table: entry for entry in freshness(session, now=NOW)}
    assert (found["web_events"].rows, found["web_events"].latest) == (2, NOW - timedelta(days=3))
    assert found["web_events"].age_days == 3
    assert found["web_events"].stale
    assert (found["pos_lines"].rows, found["pos_lines"].latest, found["pos_lines"].stale) == (0, None, False)
