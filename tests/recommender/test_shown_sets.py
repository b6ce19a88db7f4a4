from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from journey.database import is_sqlite
from journey.suggestions import Suggestion
from journey.wal_flushing import WalFlushing
from recommender.requests import Proposal, SuggestionRequest, SuggestionSet
from recommender.shown_sets import SetWriter

NOW = datetime(2026, 6, 10, tzinfo=UTC)


def made(set_id: str, size: int = 3) -> SuggestionSet:
    proposals = tuple(
        Proposal(f"{set_id}-{rank}", rank, f"P{rank}", "茶", None, None, None, None, 0.4, 0.2, 0.98, "repeat", "repeat",
                 {"ground": "popular"}, "人気です", "いかがですか", 2.0, ())
        for rank in range(1, size + 1)
    )  # fmt: skip
    return SuggestionSet(set_id, NOW, "v1", "ranked", "treated", SuggestionRequest("S1", "A"), proposals)


def stored(engine: Engine) -> dict[str, int]:
    with Session(engine) as session:
        found = session.execute(select(Suggestion.set_id, func.count()).group_by(Suggestion.set_id))
        return {str(set_id): count for set_id, count in found}


def store_all(engine: Engine, writer: SetWriter, sets: list[SuggestionSet]) -> list[Exception | None]:
    """Store all at the same moment; what each thread was told, and whether its rows were there by then."""
    told: list[Exception | None] = [None] * len(sets)
    start = threading.Barrier(len(sets))

    def store(number: int) -> None:
        start.wait()
        try:
            writer.store(engine, sets[number])
            assert stored(engine)[sets[number].set_id] == len(sets[number].proposals)
        except Exception as error:
            told[number] = error

    threads = [threading.Thread(target=store, args=(number,)) for number in range(len(sets))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def test_a_set_is_stored_when_its_thread_goes_on(engine: Engine) -> None:
    sets = [made(f"set{number}", 1 + number % 5) for number in range(24)]
    assert store_all(engine, SetWriter(), sets) == [None] * 24
    assert stored(engine) == {one.set_id: len(one.proposals) for one in sets}


def test_a_set_is_on_the_disk_when_its_thread_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[dict[str, int]] = []
    monkeypatch.setattr(WalFlushing, "_flush_log", staticmethod(lambda log: flushed.append(stored(engine))))
    SetWriter().store(engine, made("one"))
    assert flushed == ([{"one": 3}] if is_sqlite(engine) else []), "PostgreSQL does it within the commit"


def test_a_set_that_cannot_be_stored_takes_no_other_with_it(engine: Engine) -> None:
    writer = SetWriter()
    writer.store(engine, made("twice"))
    sets = [made(f"set{number}") for number in range(6)] + [made("twice")]
    told = store_all(engine, writer, sets)
    assert told[:6] == [None] * 6
    assert isinstance(told[6], IntegrityError)
    assert len(stored(engine)) == 7
    writer.store(engine, made("later"))
    assert "later" in stored(engine)


def test_nothing_shown_is_nothing_to_store(engine: Engine) -> None:
    SetWriter().store(engine, made("none", 0))
    with pytest.raises(KeyError):
        stored(engine)["none"]
