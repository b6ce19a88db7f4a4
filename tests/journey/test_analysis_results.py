"""Kept results: one per analysis and parameters, replaced as a whole, gone with the person they name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from sqlalchemy.orm import Session

from journey.accounts import add_account
from journey.analysis_results import forget_persons, keep_result, newest_result, stored_result, stored_rows
from journey.errors import InputError
from journey.units import assign_member, organisation, remove_member, units_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_a_result_comes_back_as_it_was_made(session: Session) -> None:
    assert stored_result(session, "drivers") is None
    assert stored_rows(session, "drivers") is None
    document = {"n": np.int64(3), "on": date(2026, 3, 1), "words": ["待ち時間"], "none": None}
    keep_result(session, "drivers", {"kgi": None}, document, rows="\ufeffa\n1\n".encode(), computed_at=NOW, seconds=1.5)
    keep_result(session, "drivers", {"kgi": "heart"}, {"n": 9}, computed_at=NOW - timedelta(days=1), seconds=1)
    session.expire_all()
    stored = stored_result(session, "drivers")
    assert stored is not None
    assert stored.document == {"n": 3, "on": "2026-03-01", "words": ["待ち時間"], "none": None}
    assert (stored.computed_at, stored.seconds) == (NOW, 1.5)
    assert stored_rows(session, "drivers") == "\ufeffa\n1\n".encode()
    assert stored_rows(session, "drivers", {"kgi": "heart"}) is None
    keep_result(session, "drivers", {}, {"n": 4}, computed_at=NOW + timedelta(days=1), seconds=1)
    again = stored_result(session, "drivers", {"kgi": None})
    assert again is not None
    assert (again.document, newest_result(session, ["drivers"])) == ({"n": 4}, NOW + timedelta(days=1))
    assert newest_result(session, ["voice"]) is None


def test_what_names_persons_can_be_dropped_and_the_rest_stays(session: Session) -> None:
    keep_result(session, "ltv", {}, {"customers": ["C1"]}, computed_at=NOW, seconds=1, names_persons=True)
    keep_result(session, "drivers", {}, {"n": 1}, computed_at=NOW, seconds=1)
    assert forget_persons(session) == 1
    assert stored_result(session, "ltv") is None
    assert stored_result(session, "drivers") is not None


def test_people_have_parts_in_units(session: Session) -> None:
    add_account(session, account_id="a", name="青木", role="coe", now=NOW)
    add_account(session, account_id="b", name="部長", role="head", now=NOW)
    for unit, area, who, part in (("店舗運営部", "接客", "a", "lead"), ("店舗運営部", "", "b", "head"),
                                  ("EC事業部", "検索", "a", "lead")):  # fmt: skip
        assign_member(session, unit=unit, area=area, account_id=who, part=part, by="coe", now=NOW)
    assert [(m.unit, m.part, m.name) for m in organisation(session)] == [
        ("EC事業部", "lead", "青木"), ("店舗運営部", "head", "部長"), ("店舗運営部", "lead", "青木"),
    ]  # fmt: skip
    assert units_of(session, "a") == ["EC事業部", "店舗運営部"]
    remove_member(session, unit="EC事業部", area="検索", account_id="a", by="coe", now=NOW)
    assert units_of(session, "a") == ["店舗運営部"]
    for wrong in ({"unit": " "}, {"part": "boss"}, {"area": ""}):
        given = {"unit": "店舗運営部", "area": "接客", "account_id": "a", "part": "lead"} | wrong
        try:
            assign_member(session, **given, by="coe", now=NOW)
        except InputError:
            continue
        raise AssertionError(wrong)
