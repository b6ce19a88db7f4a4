"""The application as it is served: real gunicorn, two workers, a database that both share."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from sqlalchemy import func, select

from clerk_ui.settings import Settings
from journey.api_keys import add_key
from journey.customers import Customer
from journey.database import connect, reading, writing
from journey.outcomes import Outcome
from journey.stores import Clerk, Store
from journey.suggestions import Suggestion
from recommender.registry import Registry
from tests.clerk_ui.conftest import shown
from tests.recommender.worlds import model

REPOSITORY = Path(__file__).resolve().parents[2]


class Server:
    """gunicorn in a process of its own, with its base URL and a machine's key."""

    def __init__(self, url: str, key: str, process: subprocess.Popen[bytes]) -> None:
        self.url, self.key, self.process = url, key, process

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        request = Request(
            self.url + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )  # fmt: skip
        try:
            with urlopen(request, timeout=30) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if answer.headers["Content-Type"] == "application/json" else text
        except HTTPError as error:
            return error.code, json.loads(error.read())


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[Server]:
    engine = connect(settings.storage.database)
    with writing(engine) as session:
        session.add(Store(store_id="S1", name="新宿店", timezone="Asia/Tokyo"))
        session.add(Clerk(clerk_id="C1", store_id="S1", name="佐藤"))
        for number in range(40):
            session.add(shown(f"sug-{number}", "S1", 1, datetime.now(UTC)))
        _, key = add_key(session, name="tests", now=datetime.now(UTC))
    engine.dispose()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OSUSUME_")} | {
        "OSUSUME_DATABASE_URL": settings.storage.database, "OSUSUME_HOME": str(settings.storage.home),
    }  # fmt: skip
    with (tmp_path / "gunicorn.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", str(REPOSITORY / "clerk_ui" / "gunicorn_conf.py"),
             "--bind", f"127.0.0.1:{port}", "wsgi:app"],
            cwd=tmp_path, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            yield ready(Server(f"http://127.0.0.1:{port}", key, process), tmp_path / "gunicorn.log")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(40)


def ready(server: Server, log: Path) -> Server:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.process.poll() is None, log.read_text()
        try:
            if server.call("GET", "/readyz")[0] == 200:
                return server
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(log.read_text())


def workers_of(server: Server) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True)
    return [int(worker) for worker in found.stdout.split()]


def tap(suggestion_id: str) -> tuple[str, dict[str, Any]]:
    at = datetime.now(UTC).isoformat()
    body = {"suggestion_id": suggestion_id, "clerk_id": "C1", "result": "bought", "occurred_at": at}
    return f"/api/outcomes/{uuid.uuid4()}", body


def test_two_workers_record_each_outcome_once_and_add_up_their_numbers(server: Server, settings: Settings) -> None:
    taps = [tap(f"sug-{number}") for number in range(40)]

    def send(one: tuple[str, dict[str, Any]]) -> int:
        return server.call("PUT", *one)[0]

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, [one for one in taps for _ in range(3)]))
    assert sorted(statuses) == [200] * 80 + [201] * 40
    _, text = server.call("GET", "/metrics")
    assert b'osusume_outcomes_total{result="bought"} 40.0' in text  # wherever each was counted
    engine = connect(settings.storage.database)
    with reading(engine) as session:
        assert session.scalar(select(func.count()).select_from(Outcome).where(Outcome.current)) == 40
    engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_workers_end_in_good_order_and_killed_ones_come_back(server: Server) -> None:
    workers = workers_of(server)
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    statuses = set()
    for number in range(20):
        where, body = tap(f"sug-{number}")
        for _ in range(50):
            try:
                statuses.add(server.call("PUT", where, body)[0])
                break
            except (URLError, ConnectionError, OSError):
                time.sleep(0.1)
    assert statuses <= {200, 201}
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(40) == 0


def test_what_was_answered_before_a_worker_was_killed_takes_its_outcome(
    server: Server, settings: Settings, tmp_path: Path
) -> None:
    engine = connect(settings.storage.database)
    with writing(engine) as session:
        session.add(Customer(customer_id="A", name="A", consent_profiling=True))
    Registry(settings.storage.home).add(model(), now=datetime.now(UTC))
    answered: list[str] = []
    broken: list[Exception] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                status, made = server.call("POST", "/api/customers/A/suggestions", {"store_id": "S1", "clerk_id": "C1"})
            except (OSError, HTTPException) as error:  # the worker died with this request
                broken.append(error)
                time.sleep(0.02)
                continue
            assert status == 200, made
            answered.extend(one["suggestion_id"] for one in made)

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(ask) for _ in range(6)]
        try:
            for _ in range(2):
                enough = len(answered) + 40
                deadline = time.monotonic() + 60
                while len(answered) < enough:
                    assert time.monotonic() < deadline, [one.exception() for one in asking if one.done()]
                    time.sleep(0.01)
                for worker in workers_of(server):
                    os.kill(worker, signal.SIGKILL)
        finally:
            over.set()
        for one in asking:
            one.result()
    ready(server, tmp_path / "gunicorn.log")
    assert broken, "no worker was killed while it answered"
    with reading(engine) as session:
        stored = set(session.scalars(select(Suggestion.suggestion_id).where(Suggestion.customer_id == "A")))
    assert len(answered) == len(set(answered))
    assert stored.issuperset(answered)
    statuses = [
        server.call("PUT", *tap(suggestion_id))[0] for suggestion_id in answered[-20:]
    ]  # shown just before or after a kill
    assert set(statuses) == {201}
    engine.dispose()
