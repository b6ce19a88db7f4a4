from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from analytics.channels import channel_mix, channel_shift
from analytics.dependence import closure, closure_report, single_touchpoint
from analytics.journeys import report
from analytics.passages import passage, paths_to_purchase
from analytics.period import DAY_MICROS, Period
from analytics.touches import touch_moments
from analytics.web_record import WebTally, browsing_chunks, mail_open_rate, web_tally
from journey.coupons import CouponGrant
from journey.database import to_micros
from journey.errors import InputError, NotFound
from journey.outcomes import Outcome
from journey.suggestions import Suggestion
from journey.visits import Contact
from tests.analytics.cx_record import blank, day, event, line, masters

ALWAYS = Period(None, None)

FUNNEL_BY_HAND = """
WITH marked AS (
    SELECT visitor_id, event_id, occurred_at, kind, LAG(occurred_at) OVER (
        PARTITION BY visitor_id ORDER BY occurred_at, event_id) AS before
    FROM web_events WHERE kind NOT IN ('mail_sent', 'mail_open', 'checkin')
), cut AS (
    SELECT visitor_id, occurred_at, kind, SUM(CASE WHEN occurred_at - before <= 1800000000 THEN 0 ELSE 1 END) OVER (
        PARTITION BY visitor_id ORDER BY occurred_at, event_id) AS run
    FROM marked
), carts AS (
    SELECT c.visitor_id, c.run, c.occurred_at FROM cut c JOIN cut v
        ON v.visitor_id = c.visitor_id AND v.run = c.run AND v.kind = 'view' AND v.occurred_at <= c.occurred_at
    WHERE c.kind = 'cart'
), bought AS (
    SELECT p.visitor_id, p.run FROM cut p JOIN carts c
        ON c.visitor_id = p.visitor_id AND c.run = p.run AND c.occurred_at <= p.occurred_at
    WHERE p.kind = 'purchase'
)
SELECT
    (SELECT COUNT(*) FROM (SELECT DISTINCT visitor_id, run FROM cut WHERE kind = 'view') v),
    (SELECT COUNT(*) FROM (SELECT DISTINCT visitor_id, run FROM carts) c),
    (SELECT COUNT(*) FROM (SELECT DISTINCT visitor_id, run FROM bought) b)
"""


def wander(session: Session, visitors: int = 40, events: int = 2000) -> None:
    draw = np.random.default_rng(11)
    kinds = ["view", "view", "view", "search", "cart", "purchase", "mail_sent", "mail_open", "checkin"]
    for _ in range(events):
        who = int(draw.integers(visitors))
        when = day(int(draw.integers(30)), float(draw.uniform(0, 1)))
        session.add(event(f"V{who}", str(draw.choice(kinds)), when, customer_id=f"C{who}" if who % 2 else None))
    session.flush()


def test_the_web_funnel_equals_hand_written_sql(session: Session) -> None:
    wander(session)
    by_hand = tuple(session.execute(text(FUNNEL_BY_HAND)).one())
    found = report(session)["funnel"]
    assert tuple(row["sessions"] for row in found) == by_hand
    assert by_hand[0] > by_hand[1] > by_hand[2] > 0


def test_chunks_never_cut_a_visitor(session: Session) -> None:
    wander(session)
    whole = web_tally(session, ALWAYS)
    chunks = list(browsing_chunks(session, ALWAYS, chunk=50))
    assert len(chunks) > 1
    seen = pl.concat([c.select("visitor").unique() for c in chunks])
    assert seen["visitor"].is_unique().all()
    cut = WebTally()
    for chunk in chunks:
        cut.add(chunk)
    assert (cut.sessions, cut.reached, cut.buying) == (whole.sessions, whole.reached, whole.buying)
    assert cut.exits.sort("page").equals(whole.exits.sort("page"))


def test_mails_opened_twice_count_once(session: Session) -> None:
    session.add_all(
        [
            event("m", "mail_sent", day(0), customer_id="C1", content_id="M1"),
            event("v", "mail_open", day(0, 1), customer_id="C1", content_id="M1"),
            event("v", "mail_open", day(0, 2), customer_id="C1", content_id="M1"),
            event("m", "mail_sent", day(0), customer_id="C2", content_id="M1"),
            event("m", "mail_sent", day(1), customer_id="C1", content_id="M2"),
            event("m", "mail_open", day(1), customer_id="C9", content_id="M2"),
        ]
    )
    session.flush()
    assert mail_open_rate(session, ALWAYS) == (pytest.approx(1 / 3), 3)


def moments(rows: list[tuple[str, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": [r[0] for r in rows], "at": [int(r[1] * DAY_MICROS) for r in rows]},
        schema={"customer_id": pl.String, "at": pl.Int64},
    )


def test_passages() -> None:
    web = moments([("a", 0), ("a", 20), ("b", 5), ("c", 96)])
    store = moments([("a", 6.5), ("a", 19), ("b", 13), ("c", 97)])
    found = passage(web, store, 7, 100 * DAY_MICROS)
    # c's session is too young to judge; a went once of twice, b came a day late.
    assert (found.rate, found.n, found.customers) == (pytest.approx(1 / 3), 3, 2)
    assert passage(moments([]), store, 7, 0).rate is None


def test_paths() -> None:
    touches = moments([("a", 1), ("a", 2), ("a", 9), ("b", 1), ("b", 40), ("c", 99)]).with_columns(
        channel=pl.Series(["mail", "web", "web", "mail", "web", "web"])
    )
    purchases = moments([("a", 3), ("a", 10), ("d", 5)])
    paths, alone = paths_to_purchase(touches, purchases, days=30, known_until=100 * DAY_MICROS)
    found = {tuple(p): (c, n) for p, c, n in paths.iter_rows()}
    # The two web-only paths: one bought, b's second touch did not, and c may still buy.
    assert found == {("mail", "web"): (1, 0), ("web",): (1, 1), ("mail",): (0, 1)}
    assert alone == 1


def test_touches_of_every_kind(session: Session) -> None:
    session.add_all(
        [
            event("v", "view", day(0), customer_id="C1"),
            event("v", "cart", day(0, 0.2), customer_id="C1"),
            event("v", "view", day(0, 5)),
            event("v", "mail_sent", day(1), customer_id="C1"),
            event("v", "mail_open", day(1), customer_id="C1"),
            blank(
                Suggestion, suggestion_id="G", customer_id="C1", store_id="001", shown_at=day(2), product_id="P", rank=1
            ),
            blank(Outcome, outcome_id="O", suggestion_id="G", clerk_id="K", occurred_at=day(2), result="declined"),
            blank(CouponGrant, coupon_id="Q", customer_id="C1", customer_ref="C1", granted_at=day(3)),
            blank(Contact, contact_id="T", customer_id="C1", channel="call", started_at=day(4)),
        ]
    )
    session.flush()
    assert touch_moments(session, ALWAYS)["channel"].to_list() == ["web", "mail", "clerk", "coupon", "call"]


def test_channel_mix_by_local_month(session: Session) -> None:
    session.add_all(
        [
            line("C0", "P00", day(26, 11.9), amount=100),  # 31 January 23:54 in Tokyo
            line("C0", "P00", day(26, 12.1), amount=200),  # 1 February
            line("C1", "P00", day(26, 12.1), amount=50, channel="ec"),
            line(None, "P00", day(60), amount=30, channel=None),
        ]
    )
    session.flush()
    assert channel_mix(session, ALWAYS) == [
        {"month": "2026-01", "channel": "store", "customers": 1, "sales": 100.0},
        {"month": "2026-02", "channel": "ec", "customers": 1, "sales": 50.0},
        {"month": "2026-02", "channel": "store", "customers": 1, "sales": 200.0},
        {"month": "2026-03", "channel": "store", "customers": 0, "sales": 30.0},
    ]


def test_who_shifts(session: Session) -> None:
    for customer, later in (("C0", "ec"), ("C1", "store"), ("C2", None)):
        session.add(line(customer, "P00", day(0)))
        if later:
            session.add(line(customer, "P00", day(20), channel=later))
    session.flush()
    found = channel_shift(session, ALWAYS, to_micros(day(0)), to_micros(day(20)))
    assert found["switch_rate"] == 0.5
    assert found["lost"] == 1
    assert found["flows"] == [{"from": "store", "to": "ec", "customers": 1}]


PURCHASES = pl.DataFrame(
    {
        "customer_id": ["a", "b", "b", "c", "d"],
        "touchpoint": ["S1", "S1", "ec", "S1", "S2"],
        "sales": [100.0, 60.0, 40.0, 200.0, 50.0],
    }
)


def test_single_threads() -> None:
    found = single_touchpoint(PURCHASES, pl.DataFrame({"customer_id": ["c"]}))
    assert (found["customers"], found["customer_share"]) == (4, 0.5)
    assert found["sales_share"] == pytest.approx(150 / 450)
    assert [row["touchpoint"] for row in found["by_touchpoint"]] == ["S1", "S2"]


def test_closure() -> None:
    found = closure(PURCHASES, pl.DataFrame({"customer_id": ["c"]}), "S1")
    assert (found["customers"], found["sales"]) == (3, 360.0)
    assert found["sole"] == {"customers": 2, "sales": 300.0, "reachable": 1}
    assert (found["at_stake_low"], found["at_stake_high"]) == (100.0, 300.0)
    assert found["takeover"] == [{"touchpoint": "ec", "customers": 1, "sales": 60.0}]


def test_shorter_hours(session: Session) -> None:
    masters(session, customers=2)
    session.add_all(
        [line("C0", "P00", day(0, 8)), line("C1", "P00", day(0, 8)), line("C1", "P00", day(1, 0))]
    )  # 20:00 and noon
    session.flush()
    found = closure_report(session, "001", hours=(20, 22))
    assert (found["customers"], found["sole"]["customers"]) == (2, 1)
    assert found["takeover"] == [{"touchpoint": "001", "customers": 1, "sales": 100.0}]
    assert closure_report(session, "001")["sole"]["customers"] == 2
    with pytest.raises(NotFound):
        closure_report(session, "999")
    with pytest.raises(InputError):
        closure_report(session, "001", hours=(22, 20))


def test_report(session: Session) -> None:
    masters(session, customers=40)
    wander(session)
    for c in range(40):
        for week in range(4):
            session.add(line(f"C{c}", "P00", day(7 * week + c % 7, 5), channel="ec" if c % 5 == 0 else "store"))
    session.flush()
    found = report(session)
    assert set(found) >= {
        "funnel", "attribution", "open_rate", "web_to_store", "store_to_web", "channel_mix", "single_touchpoint_share",
    }  # fmt: skip
    assert set(found["attribution"][0]) == {"channel", "first", "last", "linear", "markov", "removal_effect"}
    total = sum(row["markov"] for row in found["attribution"])
    assert total == pytest.approx(sum(row["last"] for row in found["attribution"]))
    assert 0 < found["web_to_store"] <= 1
    assert found["passages"]["web_to_store"]["low"] < found["web_to_store"] < found["passages"]["web_to_store"]["high"]
    assert 0 < found["single_touchpoint_share"] < 1
    assert report(session, store="nowhere")["web_to_store"] == 0


@pytest.mark.parametrize("purchases", [0, 1])
def test_report_on_next_to_nothing(session: Session, purchases: int) -> None:
    if purchases:
        session.add(line("C0", "P00", day(0)))
        session.flush()
    found = report(session)
    assert found["attribution"] == []
    assert (found["open_rate"], found["web_to_store"]) == (None, None)
    assert found["single_touchpoint_share"] == (1.0 if purchases else None)
    assert [row["sessions"] for row in found["funnel"]] == [0, 0, 0]
    assert found["notes"]
