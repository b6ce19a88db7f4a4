"""`osusume customer erase` on a whole installation: record, lake, online store, models, export, batch lists."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import redis

from journey.customers import Customer
from journey.database import connect, to_micros, writing
from journey.identity import Identity
from journey.lake import refresh
from journey.one_id import merge
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Store
from journey.web import WebEvent
from recommender.online_events import RecentEvent
from recommender.online_store import Seen
from recommender.redis_store import RedisOnlineStore
from recommender.registry import Registry
from tests.processes import Chain
from tests.recommender.test_forgetting import IDS, a_model

NOW = datetime.now(UTC)
PERSON, SECOND, OTHER, COOKIE, CARD = IDS[1], IDS[3], IDS[4], "gone-cookie", "gone-card"
TRACES = (PERSON.encode(), SECOND.encode(), COOKIE.encode(), CARD.encode())


def fill(chain: Chain) -> None:
    engine = connect(chain.database_url)
    with writing(engine) as session:
        session.add(Store(store_id="S1", name="新宿店"))
        session.add(Product(product_id="P", name="麦茶"))
        for number, customer in enumerate((PERSON, SECOND, OTHER)):
            session.add(Customer(customer_id=customer, name=customer))
            session.add(
                PosLine(receipt_id=f"R{number}", line_no=1, store_id="S1", sold_at=NOW,
                        local_day=(NOW.date() - date(1970, 1, 1)).days, product_id="P", quantity=1, amount=100,
                        customer_id=customer, customer_ref=customer)
            )  # fmt: skip
        for kind, value in (("cookie", COOKIE), ("card", CARD)):
            session.add(Identity(kind=kind, value=value, customer_ref=PERSON, customer_id=PERSON, linked_at=NOW))
        session.add(WebEvent(event_id="E", occurred_at=NOW, visitor_id=COOKIE, customer_id=PERSON, kind="view"))
        session.flush()
        merge(session, PERSON, SECOND, actor="coe", now=NOW)
    engine.dispose()
    registry = Registry(chain.home)
    registry.promote(registry.add(a_model(), now=NOW - timedelta(days=1)), now=NOW)


def kept_in_redis(url: str) -> list[bytes]:
    store = redis.Redis.from_url(url)
    found = []
    for key in store.scan_iter():
        kind = store.type(key)
        value = (
            store.zrange(key, 0, -1) if kind == b"zset" else store.get(key) if kind == b"string" else store.hgetall(key)
        )
        found.append(key + repr(value).encode())
    return found


def naming(chunks: list[bytes]) -> set[bytes]:
    return {trace for trace in TRACES for chunk in chunks if trace in chunk}


def files(*folders: Path) -> list[bytes]:
    """What stands in the files; Parquet is compressed, so it is read."""
    found = []
    for folder in folders:
        for file in folder.rglob("*"):
            if file.suffix == ".parquet":
                found.append(str(pl.read_parquet(file).to_dicts()).encode())
            elif file.is_file():
                found.append(file.read_bytes())
    return found


def test_nothing_of_an_erased_person_is_left_anywhere(sqlite_url: str, redis_url: str, tmp_path: Path) -> None:
    chain = Chain(tmp_path / "home", sqlite_url, redis_url)
    chain.home.mkdir()
    fill(chain)
    redis.Redis.from_url(redis_url).flushdb()
    online = RedisOnlineStore(redis_url)
    event = RecentEvent(to_micros(NOW), "view", "P")
    online.record([Seen(event, PERSON), Seen(event, None, COOKIE), Seen(event, OTHER)])
    online.arrive("S1", SECOND, to_micros(NOW))
    online.keep_ahead(PERSON, "S1", b"made", event)
    chain.run("export", tmp_path / "before")
    engine = connect(sqlite_url)
    refresh(engine, chain.home)
    assert naming(kept_in_redis(redis_url)) >= {PERSON.encode(), SECOND.encode(), COOKIE.encode()}
    assert naming(files(chain.home / "lake"))
    assert naming(files(chain.home / "models")) == {PERSON.encode(), SECOND.encode()}
    assert naming(files(tmp_path / "before")) == set(TRACES)

    done = chain.run("customer", "erase", SECOND, "--yes")
    assert done["models"] == 1

    assert naming(kept_in_redis(redis_url)) == set()
    assert naming(files(chain.home)) == set()
    chain.run("export", tmp_path / "after")
    assert naming(files(tmp_path / "after")) == set()
    (tmp_path / "who.csv").write_text(f"customer_id\n{PERSON}\n")
    chain.run("recommend", "--customers", tmp_path / "who.csv", "--out", tmp_path / "lists.csv")
    asked = pl.read_csv(tmp_path / "lists.csv", infer_schema_length=0)
    assert set(asked["source"].to_list()) <= {"popular", "cold"}  # as for somebody nobody ever heard of
    with engine.connect() as connection:
        dump = [str(tuple(row)).encode() for table in ("customers", "identities", "merges", "web_events", "pos_lines",
                "audit_log") for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]  # fmt: skip
    assert naming(dump) == set()
    assert any(OTHER.encode() in row for row in dump)
    engine.dispose()
