from __future__ import annotations

import polars as pl
import pytest

from analytics.sessions import Step, funnel_rows, funnel_sessions, page_exits, sessionise

MINUTE = 60_000_000
SHOPPING = (Step("view", ("view",)), Step("cart", ("cart",)), Step("purchase", ("purchase",)))


def events(rows: list[tuple[str, float, str]], session_id: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "visitor": [r[0] for r in rows],
            "session_id": [session_id] * len(rows),
            "at": [int(r[1] * MINUTE) for r in rows],
            "kind": [r[2] for r in rows],
            "page": [f"/{r[2]}" for r in rows],
        },
        schema={"visitor": pl.String, "session_id": pl.String, "at": pl.Int64, "kind": pl.String, "page": pl.String},
    )


def test_a_pause_of_thirty_minutes_stays_one_session_and_longer_does_not() -> None:
    cut = sessionise(events([("a", 0, "view"), ("a", 30, "view"), ("a", 60.1, "view"), ("b", 60.1, "view")]))
    assert cut["session"].to_list() == [1, 1, 2, 3]


def test_the_sites_own_sessions_are_kept_apart() -> None:
    rows = pl.concat(
        [events([("a", 0, "view"), ("a", 2, "view")], "s1"), events([("a", 1, "view"), ("a", 3, "view")], "s2")]
    )
    assert sorted(sessionise(rows)["session"].to_list()) == [1, 1, 2, 2]


def test_steps_count_in_order_only() -> None:
    rows = [
        ("a", 0, "view"), ("a", 1, "cart"), ("a", 2, "purchase"),
        ("b", 0, "cart"), ("b", 1, "view"),
        ("c", 0, "view"), ("c", 5, "purchase"),
        ("d", 0, "search"),
    ]  # fmt: skip
    counts = funnel_sessions(sessionise(events(rows)), SHOPPING)
    assert counts == [3, 1, 1]
    assert [row["drop_off"] for row in funnel_rows(SHOPPING, counts)] == [pytest.approx(2 / 3), 0.0, None]


def test_a_time_limit_looks_at_the_latest_step_before() -> None:
    limited = (Step("view", ("view",)), Step("cart", ("cart",), within_minutes=10))
    rows = [("a", 0, "view"), ("a", 20, "view"), ("a", 25, "cart"), ("b", 0, "view"), ("b", 20, "cart")]
    assert funnel_sessions(sessionise(events(rows)), limited) == [2, 1]


def test_exits() -> None:
    rows = [("a", 0, "view"), ("a", 1, "cart"), ("b", 0, "view"), ("c", 0, "cart"), ("c", 1, "view")]
    table = {row["page"]: row for row in page_exits(sessionise(events(rows))).to_dicts()}
    assert (table["/view"]["sessions"], table["/view"]["exits"]) == (3, 2)
    assert (table["/cart"]["sessions"], table["/cart"]["exits"]) == (2, 1)


def test_no_events() -> None:
    empty = sessionise(events([]))
    assert funnel_sessions(empty, SHOPPING) == [0, 0, 0]
    assert [row["drop_off"] for row in funnel_rows(SHOPPING, [0, 0, 0])] == [None, None, None]
    assert page_exits(empty).is_empty()
