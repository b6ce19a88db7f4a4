from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from journey.database import reading, writing
from journey.outcomes import Outcome
from tests.clerk_ui.conftest import Shop, shown, sign_in


def tap(suggestion_id: str = "sug-0", clerk_id: str = "C1", result: str = "bought", **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {"suggestion_id": suggestion_id, "clerk_id": clerk_id, "result": result, "occurred_at": at} | more


def path() -> str:
    return f"/api/outcomes/{uuid.uuid4()}"


def current(shop: Shop, suggestion_id: str) -> list[str]:
    with reading(shop.engine) as session:
        statement = select(Outcome.result).where(Outcome.suggestion_id == suggestion_id, Outcome.current)
        return list(session.scalars(statement))


def test_the_same_again_changes_nothing_and_other_content_is_a_conflict(shop: Shop) -> None:
    tablet, where, body = shop.signed_in(), path(), tap()
    first = tablet.put(where, json=body)
    assert first.status_code == 201
    again = tablet.put(where, json=body)
    assert (again.status_code, again.json) == (200, first.json)
    other = tablet.put(where, json=body | {"result": "declined"})
    assert other.status_code == 409
    assert other.mimetype == "application/problem+json"
    assert other.json["differing"] == ["result"]
    with reading(shop.engine) as session:
        assert session.scalar(select(func.count()).select_from(Outcome)) == 1


def test_the_id_counts_in_any_spelling(shop: Shop) -> None:
    tablet, body, outcome_id = shop.signed_in(), tap(), uuid.uuid4()
    assert tablet.put(f"/api/outcomes/{outcome_id}", json=body).status_code == 201
    assert tablet.put(f"/api/outcomes/{str(outcome_id).upper()}", json=body).status_code == 200


def test_a_later_tap_corrects_and_undo_brings_the_earlier_one_back(shop: Shop) -> None:
    tablet, first, second = shop.signed_in(), path(), path()
    tablet.put(first, json=tap(result="declined"))
    tablet.put(second, json=tap(result="bought"))
    assert current(shop, "sug-0") == ["bought"]
    for _ in range(2):
        undone = tablet.delete(second)
        assert (undone.status_code, undone.json["current"]) == (200, False)
    assert current(shop, "sug-0") == ["declined"]
    tablet.delete(first)
    assert current(shop, "sug-0") == []


def test_a_tap_that_waited_for_a_network_does_not_overrule_a_later_one(shop: Shop) -> None:
    with writing(shop.engine) as session:
        session.add(shown("early", "S1", 1, datetime.now(UTC) - timedelta(minutes=30)))
    tablet = shop.signed_in()
    tablet.put(path(), json=tap("early", result="bought"))
    waited = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    assert tablet.put(path(), json=tap("early", result="declined", occurred_at=waited)).status_code == 201
    assert current(shop, "early") == ["bought"]


def test_a_clock_that_is_a_day_ahead_does_not_win_over_later_taps(shop: Shop) -> None:
    tablet = shop.signed_in()
    ahead = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    answer = tablet.put(path(), json=tap(result="declined", occurred_at=ahead), headers={"X-Osusume-Clock": ahead})
    assert datetime.fromisoformat(answer.json["occurred_at"]) == datetime.fromisoformat(ahead)
    tablet.put(path(), json=tap(result="bought"))
    assert current(shop, "sug-0") == ["bought"]


def test_a_clock_that_is_a_day_behind_is_put_right_also_for_corrections(shop: Shop) -> None:
    tablet = shop.signed_in()
    tablet.put(path(), json=tap(result="bought"))
    behind = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    tablet.put(path(), json=tap(result="declined", occurred_at=behind, sent_at=behind))
    assert current(shop, "sug-0") == ["declined"]


def test_after_the_day_only_machines_may_correct(shop: Shop) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with writing(shop.engine) as session:
        session.add(shown("old", "S1", 1, yesterday - timedelta(hours=1)))
    tablet = shop.signed_in()
    late_first = tablet.put(path(), json=tap("old", occurred_at=yesterday.isoformat()))
    assert late_first.status_code == 201  # a tap that waited overnight is never lost
    refused = tablet.put(path(), json=tap("old", result="declined"))
    assert (refused.status_code, refused.json["type"]) == (422, "urn:osusume:problem:day-is-over")
    assert current(shop, "old") == ["bought"]
    stranger = shop.app.test_client()
    assert stranger.put(path(), json=tap("old", result="declined"), headers=shop.machine()).status_code == 201
    assert current(shop, "old") == ["declined"]


def test_the_author_is_who_tapped_also_when_another_has_signed_in_since(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    sign_in(tablet, "C2")
    answer = tablet.put(path(), json=tap(clerk_id="C1"))
    assert (answer.status_code, answer.json["clerk_id"]) == (201, "C1")
    tablet.delete("/api/session")
    assert tablet.put(path(), json=tap("sug-1", clerk_id="C2")).status_code == 201  # nobody is signed in any more


def test_clerks_of_other_stores_and_strangers_are_refused(shop: Shop) -> None:
    tablet = shop.signed_in("C1")
    assert tablet.put(path(), json=tap(clerk_id="C9")).json["type"] == "urn:osusume:problem:unknown-author"
    tablet.delete("/api/session")
    assert tablet.put(path(), json=tap(clerk_id="C2")).status_code == 403  # never was on this tablet
    other = tablet.put(path(), json=tap("sug-other"))
    assert (other.status_code, other.json["type"]) == (403, "urn:osusume:problem:other-store")
    assert shop.stranger().put(path(), json=tap()).status_code == 401


def test_unknown_ids_and_bad_bodies_say_what_and_where(shop: Shop) -> None:
    tablet = shop.signed_in()
    for body, status, where in (
        (tap("nothing"), 404, "suggestion_id"),
        (tap(clerk_id="nobody"), 404, "clerk_id"),
        (tap(result="sold"), 422, "json.result"),
        (tap(occurred_at="2026-01-01T10:00:00"), 422, "json.occurred_at"),
        (tap(occurred_at="0001-01-01T00:00:00Z"), 422, "json.occurred_at"),
        (tap(why="\x00"), 422, "json.why"),
        (tap(mood="good"), 422, "json.mood"),
        ([], 422, None),
    ):
        answer = tablet.put(path(), json=body)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.json
        assert where in (None, answer.json["where"]), answer.json
        assert answer.json["what"]
        assert answer.json["what_to_do"]
    assert tablet.put("/api/outcomes/not-a-uuid", json=tap()).status_code == 422
    surrogate = (
        '{"suggestion_id": "\\ud800", "clerk_id": "C1", "result": "bought", "occurred_at": "2026-01-01T00:00:00Z"}'
    )
    assert tablet.put(path(), data=surrogate, content_type="application/json").status_code in {400, 422}
    broken = tablet.put(path(), data="{no json", content_type="application/json")
    assert (broken.status_code, broken.json["type"]) == (400, "urn:osusume:problem:bad-request")
    assert tablet.delete(path()).status_code == 404


def test_a_foreign_page_can_record_nothing(shop: Shop) -> None:
    tablet = shop.signed_in()
    answer = tablet.put(path(), json=tap(), headers={"X-Osusume-Tablet": ""})
    assert (answer.status_code, answer.json["type"]) == (403, "urn:osusume:problem:cross-site")
    assert tablet.put(path(), json=tap(), headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert tablet.put(path(), json=tap(), headers={"Sec-Fetch-Site": "same-origin"}).status_code == 201


def test_a_key_without_the_scope_is_refused(shop: Shop) -> None:
    from journey.api_keys import add_key

    with writing(shop.engine) as session:
        _, till = add_key(session, name="till", scopes=["pos-lines"], now=datetime.now(UTC))
    client = shop.app.test_client()
    answer = client.put(path(), json=tap(), headers={"Authorization": f"Bearer {till}"})
    assert (answer.status_code, answer.json["scope"]) == (403, "outcomes")
    assert client.put(path(), json=tap(), headers={"Authorization": "Bearer nonsense"}).status_code == 401
    assert client.put(path(), json=tap(), headers=shop.machine()).status_code == 201
