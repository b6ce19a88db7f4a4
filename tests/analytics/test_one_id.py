"""One ID: what is tied to a person, who is there twice, whose a cookie is – against planted and simulated truth."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from analytics import journeys
from analytics.one_id import report
from analytics.one_id.borrowed import borrowed_cards
from analytics.period import Period
from journey.customers import Customer
from journey.database import connect, reading, writing
from journey.identity import Identity
from journey.identity_review import declare_different, note_claim
from journey.intake.folder import import_folder
from journey.intake.rows import import_rows
from journey.one_id import link, merge, unlink
from journey.purchases import PosLine
from journey.search import search_key
from journey.simulation import simulate
from journey.simulation.laws import Laws
from journey.web import WebEvent

NOW = datetime(2026, 6, 10, 3, tzinfo=UTC)
DAY = timedelta(days=1)


def person(customer_id: str, name: str, year: int | None = None, **more: Any) -> Customer:
    return Customer(customer_id=customer_id, name=name, birth_year=year, search_key=search_key(name), **more)


def receipt(
    number: int, customer: str | None, store: str = "S1", at: datetime = NOW, channel: str = "store"
) -> PosLine:
    return PosLine(
        receipt_id=f"R{number}", line_no=1, store_id=store, sold_at=at, local_day=(at.date() - date(1970, 1, 1)).days,
        channel=channel, customer_id=customer, customer_ref=customer, product_id="P", quantity=1, amount=100,
    )  # fmt: skip


def login(number: int, visitor: str, customer: str | None, at: datetime = NOW) -> WebEvent:
    return WebEvent(
        event_id=f"E{number}", occurred_at=at, visitor_id=visitor, session_id=f"W{number}", customer_id=customer,
        customer_ref=customer, kind="view",
    )  # fmt: skip


def test_coverage_by_channel_and_month_with_intervals(session: Session) -> None:
    session.add(person("A", "甲"))
    session.add_all(receipt(n, "A" if n < 3 else None) for n in range(4))
    session.add(receipt(9, "A", at=NOW - 31 * DAY, channel="ec"))
    session.add_all([login(1, "V", "A"), login(2, "V", None), login(3, "X", None)])
    session.flush()
    found = report(session)
    rows = [(r["what"], r["channel"], r["month"], r["n"], r["tied"]) for r in found["coverage"]]
    assert rows == [
        ("receipts", "ec", "2026-05", 1, 1),
        ("receipts", "store", "2026-06", 4, 3),
        ("web_events", "web", "2026-06", 3, 1),
    ]  # fmt: skip
    store = next(r for r in found["totals"] if r["channel"] == "store")
    assert (store["rate"], round(store["low"], 3), round(store["high"], 3)) == (0.75, 0.301, 0.954)  # Wilson, 3 of 4


def test_two_accounts_of_one_person_are_proposed_with_what_speaks_for_and_against(session: Session) -> None:
    session.add_all([person("A", "山田 花子", 1980, area="東京"), person("B", "山田 花子", 1980, area="東京"),
                     person("C", "佐藤 翔", 1975), person("D", "佐藤 葵", 2001),
                     person("N1", "鈴木 一郎", 1960), person("N2", "鈴木 一郎", 1960)])  # fmt: skip
    session.add(Identity(kind="phone_hash", value="h1", customer_ref="A", customer_id="A", linked_at=NOW))
    session.add(Identity(kind="phone_hash", value="h2", customer_ref="C", customer_id="C", linked_at=NOW))
    session.flush()
    rows = [
        {"kind": "phone_hash", "value": v, "customer_id": c, "linked_at": "2026-06-01"}
        for v, c in (("h1", "B"), ("h2", "D"))
    ]
    assert import_rows(session, "identities", rows, source="t", now=NOW).kept_out  # the import moves no link
    (found,) = report(session)["doubles"]
    assert (found["a"], found["b"], found["level"], found["score"]) == ("A", "B", "likely", 6.0)
    assert [e["kind"] for e in found["evidence"]] == ["phone_hash", "same_name", "same_birth_year", "same_area"]
    # C and D share a phone and are 26 years apart: a family; namesakes alone are nobody's double

    session.add_all([receipt(1, "A", "S1"), receipt(2, "B", "S2", NOW + timedelta(minutes=5))])
    session.flush()
    (weaker,) = report(session)["doubles"]
    assert ("two_places", weaker["level"], weaker["score"]) == (weaker["evidence"][-1]["kind"], "possible", 3.0)
    declare_different(session, "B", "A", actor="coe", now=NOW)
    assert report(session)["doubles"] == []


def test_a_cookie_of_two_speaks_for_one_person_of_three_for_a_familys_tablet(session: Session) -> None:
    session.add_all(
        person(c, name, 1990) for c, name in zip("ABCDE", ("高橋 舞", "高橋 舞", "東", "西", "南"), strict=True)
    )
    session.add_all([login(1, "both", "A"), login(2, "both", "B", NOW + DAY), login(3, "long ago", "A", NOW - 90 * DAY),
                     login(4, "long ago", "C"), login(5, "tablet", "C"), login(6, "tablet", "D")])  # fmt: skip
    session.flush()
    note_claim(session, "cookie", "tablet", "E", now=NOW)
    found = report(session)
    assert [(d["a"], d["b"]) for d in found["doubles"]] == [("A", "B")]
    assert found["shared_cookies"] == [{"value": "tablet", "customers": 3, "logins": 3}]
    assert found["links"] == []  # no cookie here belongs to one customer alone
    merge(session, "A", "B", actor="coe", now=NOW)
    after = report(session)
    assert after["doubles"] == []
    assert [row["value"] for row in after["links"]] == ["both"]


def test_a_cookie_of_one_is_proposed_with_what_it_would_bring_and_can_be_taken_back(session: Session) -> None:
    session.add(person("A", "甲"))
    session.add_all([login(1, "V", "A"), login(2, "V", None), login(3, "V", None), login(4, "W", None)])
    session.flush()
    assert report(session)["links"] == [{"value": "V", "customer_id": "A", "logins": 1, "anonymous": 2}]
    assert link(session, "cookie", "V", "A", actor="coe", now=NOW) == 2
    assert report(session)["links"] == []
    assert unlink(session, "cookie", "V", actor="coe", now=NOW) == 2
    assert sorted(map(str, session.scalars(select(WebEvent.customer_id)))) == ["A", "None", "None", "None"]


def test_a_card_in_two_stores_at_once_is_flagged_and_a_single_odd_clock_is_not(session: Session) -> None:
    session.add_all([person("A", "甲"), person("B", "乙"), person("C", "丙")])
    number = 0
    for customer, leaps in (("A", 2), ("B", 1)):
        for day in range(leaps):
            for store, minutes in (("S1", 0), ("S2", 8)):
                number += 1
                session.add(receipt(number, customer, store, NOW + day * DAY + timedelta(minutes=minutes)))
    for hour in range(6):
        session.add(receipt(100 + hour, "C", at=NOW + timedelta(hours=hour)))
    session.flush()
    assert report(session)["shared_cards"] == [
        {"customer_id": "A", "two_places": 2, "busiest_day": None, "users": []},
        {"customer_id": "C", "two_places": 0, "busiest_day": 6, "users": []},
    ]


def test_a_card_that_pays_after_anothers_check_in_is_shared_and_its_passages_are_withheld(session: Session) -> None:
    session.add_all(person(c, name) for c, name in zip("ABCD", ("甲", "乙", "丙", "丁"), strict=True))

    def check_in(number: int, customer: str, at: datetime) -> WebEvent:
        event = login(number, f"app {customer}", customer, at)
        event.kind, event.page = "checkin", "S1"
        return event

    for visit in range(3):
        at = NOW - (30 - 9 * visit) * DAY
        # B checks in and A's card pays; C checks in and pays at the same time; D's card is at the till a bit before
        session.add_all([check_in(10 + visit, "B", at), receipt(10 + visit, "A", at=at + timedelta(minutes=25))])
        session.add_all([check_in(20 + visit, "C", at), receipt(20 + visit, "C", at=at + timedelta(minutes=40))])
        session.add_all([login(40 + visit, "web B", "B", at - DAY), login(50 + visit, "web C", "C", at - DAY)])
        session.add(receipt(30 + visit, "D", at=at - timedelta(minutes=5)))
    session.flush()
    (card,) = report(session)["shared_cards"]
    assert (card["customer_id"], card["users"]) == ("A", [{"user_id": "B", "times": 3, "check_ins": 3}])
    told = journeys.report(session)
    assert (told["withheld"], told["passages"]["web_to_store"]["customers"]) == (2, 1)
    assert told["web_to_store"] == 1.0  # C's; B's browsing leads to nobody's purchase, and is not said to lead to none
    assert any(note.startswith("2 customers share a card") for note in told["notes"])


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> tuple[Engine, Path]:
    """A simulated chain in a record, and its truth."""
    folder = tmp_path_factory.mktemp("chain")
    simulate(folder, stores=2, customers=600, days=60, seed=9, end=date(2026, 3, 1))
    (folder / "osusume.db").write_bytes(sqlite_template.read_bytes())
    engine = connect(f"sqlite:///{folder / 'osusume.db'}")
    import_folder(engine, folder)
    return engine, folder / "truth"


def test_cookies_lead_to_the_right_persons_and_join_sessions_to_purchases(chain: tuple[Engine, Path]) -> None:
    engine, truth = chain
    led = pl.read_csv(truth / "web_links.csv", infer_schema_length=0).filter(pl.col("how") != "order")
    owners = pl.read_csv(truth / "one_id.csv", infer_schema_length=0).filter(pl.col("kind").is_in(["cookie", "app"]))
    whose = dict(owners.select("value", "customer_id").iter_rows())

    def links() -> tuple[float, float, float]:
        """Sessions of the right person; of those that led to the store: joined to the purchase, or to somebody else."""
        with reading(engine) as session:
            seen = session.execute(
                select(WebEvent.session_id, WebEvent.visitor_id, WebEvent.customer_id).distinct()
            ).all()
            buyers = dict(session.execute(select(PosLine.receipt_id, PosLine.customer_id)).all())
        said = [(cookie, customer) for _, cookie, customer in seen if customer and cookie in whose]
        person = {visit: customer for visit, _, customer in seen if customer}
        met = [(person.get(s), buyers.get(r)) for s, r in led.select("session_id", "receipt_id").iter_rows()]
        assert len(said) > 2000
        assert len(met) > 400
        return (
            sum(whose[cookie] == customer for cookie, customer in said) / len(said),
            sum(browser is not None and browser == buyer for browser, buyer in met) / len(met),
            sum(bool(browser and buyer and browser != buyer) for browser, buyer in met) / len(met),
        )

    right, before, other = links()
    assert right >= 0.99
    assert other < 0.03  # a spouse paid with the other's card
    with writing(engine) as session:
        proposed = report(session)["links"]
        for row in proposed:
            link(session, "cookie", row["value"], row["customer_id"], actor="coe", now=NOW)
    assert len(proposed) > 20
    assert sum(whose[row["value"]] == row["customer_id"] for row in proposed) / len(proposed) >= 0.99
    right, after, other = links()
    assert right >= 0.99
    assert other < 0.03
    assert after > before > 0.5


def test_a_couples_card_is_found_and_what_is_then_said_of_purchases_is_right(
    tmp_path: Path, sqlite_template: Path
) -> None:
    laws = Laws(shared_card_share=0.08, visit_gap_days=6.0, app_share=0.7)
    simulate(tmp_path, stores=1, customers=600, days=75, seed=4, laws=laws, end=date(2026, 3, 1))
    (tmp_path / "osusume.db").write_bytes(sqlite_template.read_bytes())
    engine, truth = connect(f"sqlite:///{tmp_path / 'osusume.db'}"), tmp_path / "truth"
    import_folder(engine, tmp_path)
    lent = pl.read_csv(truth / "borrowed_cards.csv", infer_schema_length=0)
    true_pairs = set(lent.select("customer_id", "person_id").unique().iter_rows())
    with reading(engine) as session:
        said = borrowed_cards(session, Period(None, None))
        buyers = dict(session.execute(select(PosLine.receipt_id, PosLine.customer_id)).all())
        person = dict(session.execute(select(WebEvent.session_id, WebEvent.customer_id).distinct()).all())
    found = {(pair["customer_id"], pair["user_id"]) for pair in said}
    assert len(found & true_pairs) >= 0.9 * len(found)
    assert len(found) >= 0.5 * len(true_pairs)  # some came too seldom
    withheld = {customer for pair in found for customer in pair}
    led = pl.read_csv(truth / "web_links.csv", infer_schema_length=0).filter(pl.col("how") != "order")
    met = [(person.get(s), buyers.get(r)) for s, r in led.select("session_id", "receipt_id").unique().iter_rows()]
    met = [(a, b) for a, b in met if a and b]
    kept = [(a, b) for a, b in met if not {a, b} & withheld]
    assert len(kept) > 0.7 * len(met)
    assert sum(a == b for a, b in met) / len(met) < 0.97
    assert sum(a == b for a, b in kept) / len(kept) >= 0.99
