"""The requests of a busy store: many tablets that scan, suggest and record at once, measured at the tablets' side.

The floor is an answer without any work (/healthz) from the same server among the same requests: what the machine, the
connection and the queue cost. On a machine that is busy with other things only the ratio to it says something.
"""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine

from clerk_ui.auth.callers import DEVICE_COOKIE, SESSION_COOKIE
from tests.browser.live_server import LiveServer
from tests.browser.shop import CLERKS
from tests.browser.tablet import device_token, session_token

RESULTS = ("bought", "considering", "declined", "not_proposed")


@dataclass
class Client:
    """One tablet's connection, and how long each kind of request took in milliseconds."""

    port: int
    cookies: str
    clerk_id: str
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def ask(self, kind: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request on a connection that stays open, as a browser's does."""
        if not hasattr(self, "_line"):
            self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Cookie": self.cookies, "X-Osusume-Tablet": "1", "Content-Type": "application/json"}
        began = time.perf_counter()
        self._line.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self._line.getresponse()
        content = answer.read()
        self.taken[kind].append(1000 * (time.perf_counter() - began))
        assert answer.status < 300, (kind, answer.status, content[:200])
        return json.loads(content) if content else None

    def serve(self, card: str, random: Random) -> None:
        """From the scan of a card to three outcomes."""
        self.ask("floor", "GET", "/healthz")
        found = self.ask("search", "GET", f"/api/customers?q={quote(card)}")["customers"]
        customer = f"/api/customers/{found[0]['customer_id']}"
        self.ask("card", "GET", customer)
        shown = self.ask("suggestions", "POST", f"{customer}/suggestions", {"k": 5})
        for one in shown[:3]:
            self.ask(
                "outcome", "PUT", f"/api/outcomes/{uuid.UUID(int=random.getrandbits(128), version=4)}",
                {"suggestion_id": one["suggestion_id"], "clerk_id": self.clerk_id, "result": random.choice(RESULTS),
                 "occurred_at": datetime.now(UTC).isoformat()},
            )  # fmt: skip


def store_load(
    server: LiveServer, engine: Engine, cards: list[str], *, tablets: int, customers: int, every: float, seed: int = 3
) -> dict[str, Any]:
    """Let each of ``tablets`` serve ``customers``, one about every ``every`` seconds; figures by kind of request."""
    clients = []
    for number in range(tablets):
        clerk_id = CLERKS[number % len(CLERKS)][0]
        device = device_token(engine)
        session = session_token(engine, device, clerk_id)
        clients.append(Client(server.port, f"{DEVICE_COOKIE}={device}; {SESSION_COOKIE}={session}", clerk_id))

    def work(client: Client, random: Random) -> None:
        time.sleep(random.uniform(0, every))
        for _ in range(customers):
            began = time.monotonic()
            client.serve(random.choice(cards), random)
            time.sleep(max(0.0, random.uniform(0.5, 1.5) * every - (time.monotonic() - began)))

    threads = [
        threading.Thread(target=work, args=(client, Random(seed + number))) for number, client in enumerate(clients)
    ]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    by_kind: dict[str, list[float]] = defaultdict(list)
    for client in clients:
        for kind, taken in client.taken.items():
            by_kind[kind] += taken
    floor = by_kind.pop("floor")
    everything = [one for taken in by_kind.values() for one in taken]
    return {
        "tablets": tablets,
        "requests": len(everything),
        "per_second": round(len(everything) / seconds, 1),
        "all": percentiles(everything),
        "floor": percentiles(floor),
        **{kind: percentiles(taken) for kind, taken in by_kind.items()},
    }


def percentiles(taken: list[float]) -> dict[str, float]:
    """Milliseconds at the median and at the 95th of a hundred."""
    ordered = sorted(taken)
    return {
        "n": len(ordered),
        "p50_ms": round(ordered[len(ordered) // 2], 1),
        "p95_ms": round(ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)], 1),
    }
