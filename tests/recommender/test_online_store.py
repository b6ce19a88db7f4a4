from __future__ import annotations

import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import redis
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.database import to_micros
from journey.products import Stock
from journey.visits import Visit
from journey.web import WebEvent
from recommender.candidates.session_statistics import SessionStatistics
from recommender.candidates.session_table import sessions_of
from recommender.event_memory import rebuild, recent_events, seen_of
from recommender.live_interest import DAY
from recommender.online_events import KEPT, RecentEvent, lines_of, parse
from recommender.online_store import InProcessOnlineStore, OnlineStore, Seen
from recommender.redis_store import RedisOnlineStore
from recommender.registry import Registry
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.serving import Recommender, online_store
from recommender.trained import RankedLists, SessionModel
from tests.recommender.counter import NOW, Counter, products
from tests.recommender.test_sessions import chains
from tests.recommender.worlds import model, neighbours

MICROS = to_micros(NOW)
HOUR = DAY // 24


class Hands:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["in_process", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[OnlineStore]:
    if request.param == "in_process":
        yield InProcessOnlineStore()
    else:
        made = RedisOnlineStore(
            str(request.getfixturevalue("redis_url")), prefix=f"test-{uuid.uuid4().hex}:", timeout=2.0
        )
        yield made
        made.forget_all()


def view(minutes_ago: float, product: str = "P1") -> RecentEvent:
    return RecentEvent(MICROS - int(minutes_ago * 60_000_000), "view", product)


def test_events_come_back_newest_first_by_person(store: OnlineStore) -> None:
    store.record([Seen(view(3, "P1"), "A"), Seen(view(1, "P2"), "A", "cookie"), Seen(view(2, "P3"), None, "cookie")])
    assert [event.product_id for event in store.read("A", "S1").events] == ["P2", "P1"]
    assert [event.product_id for event in store.read(None, "S1", "cookie").events] == ["P3"]
    assert store.read("B", "S1").events in ((), [])
    assert store.read("A", "S1").events[0] == view(1, "P2")


def test_the_same_event_twice_is_one_and_only_the_newest_are_kept(store: OnlineStore) -> None:
    store.record([Seen(view(i), "A") for i in range(60)])
    store.record([Seen(view(i), "A") for i in range(60)])
    events = list(store.read("A", "S1").events)
    assert events == [view(i) for i in range(KEPT)]


def test_odd_ids_and_queries_survive(store: OnlineStore) -> None:
    odd = RecentEvent(MICROS, "search", 'a"b\\c', "お茶 🍙\n二行目")
    store.record([Seen(odd, "ゑ🍙:*")])
    assert list(store.read("ゑ🍙:*", "S1").events) == [odd]


def test_what_the_database_says_goes_under_what_was_recorded(store: OnlineStore) -> None:
    store.record([Seen(view(1, "new"), "A")])
    assert store.read("A", "S1").read_at == 0
    store.fill("A", None, [view(1, "new"), view(9, "old")], MICROS)
    seen = store.read("A", "S1")
    assert [event.product_id for event in seen.events] == ["new", "old"]
    assert seen.read_at == MICROS
    store.fill("B", None, [], MICROS)
    assert (list(store.read("B", "S1").events), store.read("B", "S1").read_at) == ([], MICROS)


def test_who_is_in_the_store(store: OnlineStore) -> None:
    store.arrive("S1", "A", MICROS - 2 * HOUR)
    store.arrive("S1", "B", MICROS - HOUR)
    store.arrive("S2", "C", MICROS)
    assert store.in_store("S1", MICROS - 3 * HOUR) == [("B", MICROS - HOUR), ("A", MICROS - 2 * HOUR)]
    assert store.in_store("S1", MICROS - HOUR) == [("B", MICROS - HOUR)]
    store.leave("S1", "B")
    store.arrive("S1", "A", MICROS)
    assert store.in_store("S1", 0) == [("A", MICROS)]
    store.arrive("S1", "D", MICROS + 13 * HOUR)
    assert store.in_store("S1", 0) == [("D", MICROS + 13 * HOUR)], "who came half a day ago has gone"


def test_what_was_made_ahead_holds_until_a_newer_event(store: OnlineStore) -> None:
    store.keep_ahead("A", "S1", b"made", None)
    assert store.read("A", "S1").ahead == b"made"
    assert store.read("A", "S2").ahead is None
    assert store.read("B", "S1").ahead is None
    store.record([Seen(view(5), "A")])
    assert store.read("A", "S1").ahead is None
    store.keep_ahead("A", "S1", b"again\n", view(5))
    assert store.read("A", "S1").ahead == b"again\n"


def test_forgetting_some_and_all(store: OnlineStore) -> None:
    store.record([Seen(view(1), "A"), Seen(view(1), "B")])
    store.arrive("S1", "A", MICROS)
    store.arrive("S1", "B", MICROS)
    store.forget(["A", "nobody"])
    store.forget([])
    assert not store.read("A", "S1").events
    assert store.read("B", "S1").events
    assert store.in_store("S1", 0) == [("B", MICROS)]
    store.forget_all()
    assert not store.read("B", "S1").events
    assert store.in_store("S1", 0) == []
    assert store.reachable()


def test_lines_are_read_as_they_were_written() -> None:
    events = [view(i, f"P{i}") for i in range(3)]
    assert parse(lines_of(reversed(events))) == (events, 0)


def test_the_twin_lets_what_was_made_ahead_run_out_and_keeps_its_bounds() -> None:
    clock = Hands()
    store = InProcessOnlineStore(people=3, clock=clock)
    store.keep_ahead("A", "S1", b"made", None)
    clock.seconds = 599
    assert store.read("A", "S1").ahead == b"made"
    clock.seconds = 601
    assert store.read("A", "S1").ahead is None
    store.record([Seen(view(1), name) for name in "ABCD"])
    assert [bool(store.read(name, "S1").events) for name in "ABCD"] == [False, True, True, True]


def test_redis_lets_everything_run_out(redis_url: str) -> None:
    prefix = f"test-{uuid.uuid4().hex}:"
    store = RedisOnlineStore(redis_url, prefix=prefix)
    store.record([Seen(view(1), "A")])
    store.keep_ahead("A", "S1", b"made", None)
    store.arrive("S1", "A", MICROS)
    client = redis.Redis.from_url(redis_url)
    keys = list(client.scan_iter(f"{prefix}*"))
    assert len(keys) == 3
    assert all(0 < client.ttl(key) <= 14 * 86_400 for key in keys)
    store.forget_all()
    assert not list(client.scan_iter(f"{prefix}*"))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[tuple[str, Callable[[], subprocess.Popen[bytes]]]]:
    """A Redis of the test's own that can be started and stopped."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = ["redis-server", "--port", str(port), "--save", "", "--dir", str(tmp_path), "--bind", "127.0.0.1"]
        try:
            server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        except FileNotFoundError:
            pytest.skip("no redis-server at hand (scripts/test installs one)")
        started.append(server)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return server
            time.sleep(0.02)
        raise AssertionError("redis-server does not answer")

    yield f"redis://127.0.0.1:{port}/0", start
    for server in started:
        server.kill()
        server.wait()


def test_redis_down_means_nothing_known_and_no_error_and_it_is_used_again_afterwards(
    own_redis: tuple[str, Callable[[], subprocess.Popen[bytes]]],
) -> None:
    url, start = own_redis
    clock = Hands()
    store = RedisOnlineStore(url, clock=clock)
    assert store.read("A", "S1").reachable is False
    assert store.reachable() is False
    server = start()
    assert store.reachable() is False, "the breaker rests before it tries again"
    clock.seconds = 3
    assert store.reachable()
    store.record([Seen(view(1), "A")])
    assert store.read("A", "S1").events
    server.kill()
    server.wait()
    assert store.read("A", "S1") == store.read("A", "S1")
    store.record([Seen(view(1), "A")])
    store.fill("A", None, [], MICROS)
    store.arrive("S1", "A", MICROS)
    store.leave("S1", "A")
    store.keep_ahead("A", "S1", b"", None)
    store.forget(["A"])
    store.forget_all()
    assert store.in_store("S1", 0) == []
    start()
    clock.seconds = 6
    assert store.read("A", "S1").reachable


def web(number: int, minutes_ago: float, *, product: str = "P9", customer: str | None = "A") -> WebEvent:
    return WebEvent(event_id=f"E{number}", occurred_at=NOW - timedelta(minutes=minutes_ago), visitor_id="cookie",
                    customer_id=customer, kind="view", product_id=product)  # fmt: skip


def test_what_the_store_does_not_know_is_read_from_the_database_once(session: Session, store: OnlineStore) -> None:
    session.add_all([web(1, 30), web(2, 60 * 24 * 15), web(3, -5), web(4, 10, product="P8", customer=None)])
    session.flush()

    def known(**who: str | None) -> list[str]:
        asked = {"customer_id": None, "visitor_id": None} | who
        return [e.product_id for e in recent_events(session, store, store_id="S1", now=NOW, **asked).events]  # type: ignore[arg-type]

    assert known(customer_id="A") == ["P9"], "not from the future, not older than two weeks"
    assert known(visitor_id="cookie") == ["P8", "P9"]
    session.add(web(5, 1, product="P7"))
    session.flush()
    assert known(customer_id="A") == ["P9"], "held to be complete for a moment"
    store.record(seen_of([{"occurred_at": NOW - timedelta(minutes=1), "kind": "view", "product_id": "P7",
                           "customer_id": "A", "visitor_id": "cookie"}]))  # fmt: skip
    assert known(customer_id="A") == ["P7", "P9"]
    store.forget(["A"])
    assert known(customer_id="A") == ["P7", "P9"]


def test_the_store_is_rebuilt_from_the_database(session: Session, store: OnlineStore) -> None:
    store.record([Seen(view(1, "stale"), "Z")])
    session.add(Customer(customer_id="A"))
    session.add_all(web(i, i, product=f"P{i % 10}") for i in range(1, 4))
    for name, hours, ended in (("A", 1, None), ("B", 2, NOW), ("C", 20, None)):
        session.add(Visit(visit_id=name, store_id="S1", customer_id=name, customer_ref=name, source="scan",
                          arrived_at=NOW - timedelta(hours=hours), ended_at=ended))  # fmt: skip
    session.flush()
    assert rebuild(session, store, now=NOW) == 3
    assert [event.product_id for event in store.read("A", "S1").events] == ["P1", "P2", "P3"]
    assert not store.read("Z", "S1").events
    assert store.in_store("S1", 0) == [("A", MICROS - HOUR)]


@pytest.fixture
def recommender(session: Session, store: OnlineStore, tmp_path: Path) -> Recommender:
    Counter(session)
    Registry(tmp_path).add(model(), now=NOW)
    return Recommender(tmp_path, store, Policy(exploration=0))


def ask(recommender: Recommender, session: Session, **request: object) -> SuggestionSet:
    asked = SuggestionRequest(**({"store_id": "S1", "customer_id": "A"} | request))  # type: ignore[arg-type]
    return recommender.suggest(session, asked, now=NOW)


def test_a_view_changes_the_next_set(session: Session, recommender: Recommender) -> None:
    before = products(ask(recommender, session, k=8))
    recommender.online.record([Seen(view(1, "P9"), "A")])
    after = products(ask(recommender, session, k=8))
    assert "P9" not in before
    assert "P9" in after


def test_a_set_made_ahead_is_shown_under_new_ids_and_voided_by_news(session: Session, recommender: Recommender) -> None:
    recommender.make_ahead(session, "A", "S1", now=NOW)
    live = recommender.suggest(session, SuggestionRequest("S1", "A", k=6), now=NOW)
    first, second = ask(recommender, session, clerk_id="K1"), ask(recommender, session, clerk_id="K2")
    assert products(first) == products(second) == products(live)[:5]
    assert first.proposals[0].price == live.proposals[0].price
    assert [p.reason for p in first.proposals] == [p.reason for p in live.proposals][:5]
    assert first.proposals[0].suggestion_id != second.proposals[0].suggestion_id
    assert second.request.clerk_id == "K2"
    session.add(Stock(store_id="S1", product_id="P4", quantity=0, as_of=NOW))
    session.flush()
    assert "P4" in products(ask(recommender, session)), "what was made ahead stands for a while"
    recommender.note_outcome("A", now=NOW)
    assert "P4" not in products(ask(recommender, session))


def test_a_set_made_ahead_is_told_in_the_language_of_whoever_shows_it(
    session: Session, recommender: Recommender
) -> None:
    recommender.make_ahead(session, "A", "S1", now=NOW)
    session.add(Stock(store_id="S1", product_id="P4", quantity=0, as_of=NOW))
    session.flush()
    for language in ("en", "ja"):
        made = recommender.suggest(session, SuggestionRequest("S1", "A"), now=NOW, language=language)
        assert "P4" in products(made), "made ahead, not composed anew"
        live = recommender.suggest(session, SuggestionRequest("S1", "A", k=6), now=NOW, language=language)
        anew = {p.product_id: (p.reason, p.talk) for p in live.proposals}
        told = {p.product_id: (p.reason, p.talk) for p in made.proposals if p.product_id in anew}
        assert len(told) >= 3
        assert told == {product: anew[product] for product in told}


def test_without_a_redis_url_the_twin_serves() -> None:
    assert isinstance(online_store(""), InProcessOnlineStore)
    assert isinstance(online_store("redis://127.0.0.1:1/0"), RedisOnlineStore)


def test_redis_down_means_the_database_is_asked(session: Session, tmp_path: Path) -> None:
    Counter(session)
    Registry(tmp_path).add(model(), now=NOW)
    session.add(web(1, 5))
    session.flush()
    recommender = Recommender(tmp_path, RedisOnlineStore("redis://127.0.0.1:1/0"), Policy(exploration=0))
    assert "P9" in products(ask(recommender, session, k=8))
    recommender.make_ahead(session, "A", "S1", now=NOW)
    recommender.note_outcome("A", now=NOW)
    assert recommender.state()["online_store"] is False


def test_the_session_model_tells_what_is_looked_at_with_an_item(session: Session, tmp_path: Path) -> None:
    Counter(session)
    walks = sessions_of(chains(products=10))
    statistics = SessionStatistics.fit(walks, 10, float(walks.start[-1]))
    sessions = SessionModel(statistics.arrays() | {"booster": np.zeros(0, np.uint8)}, {"ranker": "plain"})
    none = neighbours({}, [f"P{i}" for i in range(10)])
    made = model(sessions=sessions, copurchase=none, cold=RankedLists.empty(3))
    Registry(tmp_path).add(made, now=NOW)
    recommender = Recommender(tmp_path, InProcessOnlineStore(), Policy(exploration=0))
    answer = recommender.suggest_for_product(session, "P5", SuggestionRequest("S2", k=2), now=NOW)
    assert set(products(answer)) == {"P4", "P6"}, "the neighbours on the ring"
    assert answer.proposals[0].evidence == {"ground": "seen_with", "about": "P5", "name": "商品5"}


def test_an_item_at_hand_needs_no_customer(session: Session, recommender: Recommender) -> None:
    answer = recommender.suggest_for_product(session, "P0", SuggestionRequest("S1", "A", k=2), now=NOW)
    assert products(answer) == ["P4", "P9"]
    assert answer.request.customer_id is None
    unknown = recommender.suggest_for_product(session, "nothing known", SuggestionRequest("S1", k=2), now=NOW)
    assert len(unknown.proposals) == 2
