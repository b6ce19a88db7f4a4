from __future__ import annotations

import threading

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from journey.database import is_sqlite, writing
from journey.quick_statements import connections, rows

COUNT = "SELECT count(*) FROM stores"


def add_store(engine: Engine, store_id: str) -> None:
    mark = "?" if is_sqlite(engine) else "%s"
    connections(engine).write(f"INSERT INTO stores (store_id, name, stub) VALUES ({mark}, 'x', {mark})",
                              (store_id, False))  # fmt: skip


def test_what_is_written_is_stored_at_once_and_seen_by_everybody(engine: Engine) -> None:
    add_store(engine, "S1")
    with Session(engine) as session:
        assert session.scalar(text(COUNT)) == 1
    with pytest.raises(IntegrityError):
        add_store(engine, "S1")
    add_store(engine, "S2")
    with Session(engine) as session:
        assert rows(session, COUNT, {}) == [(2,)]
        assert not session.in_transaction()


def test_within_a_transaction_a_caller_sees_what_it_wrote(engine: Engine) -> None:
    with writing(engine) as session:
        session.execute(text("INSERT INTO stores (store_id, name, stub) VALUES ('S1', 'x', false)"))
        assert rows(session, COUNT, {}) == [(1,)]
        session.rollback()
    with Session(engine) as session:
        assert rows(session, COUNT, {}) == [(0,)]


def test_a_transaction_that_fails_leaves_nothing_to_the_next(engine: Engine) -> None:
    if not is_sqlite(engine):
        pytest.skip("commits each statement by itself")
    quick = connections(engine)

    def fail() -> None:
        with quick.transaction() as raw:
            raw.execute("INSERT INTO stores (store_id, name, stub) VALUES ('S1', 'x', 0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert quick.rows(COUNT, {}) == [(0,)]
    add_store(engine, "S2")
    assert quick.rows(COUNT, {}) == [(1,)]


def test_threads_may_write_at_once_and_a_disposed_engine_has_no_connection(engine: Engine) -> None:
    def work(number: int) -> None:
        add_store(engine, f"S{number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connections(engine).rows(COUNT, {}) == [(8,)]
    engine.dispose()
    assert connections(engine).rows(COUNT, {}) == [(8,)], "opened again"


def test_a_connection_that_the_server_closed_is_opened_again(engine: Engine) -> None:
    if is_sqlite(engine):
        pytest.skip("nobody closes a file")
    (own,) = connections(engine).rows("SELECT pg_backend_pid()", {})[0]
    with engine.connect() as other:
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        other.commit()
    assert connections(engine).rows(COUNT, {}) == [(0,)]
