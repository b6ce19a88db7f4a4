"""Focus pages: the CoE's effects by campaign, a store's list of its own customers, and the tablet's."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clerk_ui.focus_results import make_focus
from clerk_ui.settings import Settings
from journey.analysis_results import keep_result, stored_result
from journey.customers import Customer
from journey.database import to_micros, writing
from journey.erasure import erase_customer
from journey.fact_days import WHOLE, mark_days
from journey.products import Product
from journey.purchases import PosLine
from journey.suggestions import ClerkTarget, Suggestion
from journey.visits import Visit
from recommender.registry import Registry
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_management_pages import browser, form_token
from tests.recommender.worlds import lists as lists_of
from tests.recommender.worlds import model, new, own

NOW = datetime.now(UTC)


def proposal(customer: str, uplift: float, **more: Any) -> dict[str, Any]:
    return {
        "customer_id": customer, "store_id": "S1", "product_id": "F1", "uplift": uplift, "proposed": uplift + 0.02,
        "unasked": 0.02, "displaced": "F2", "gain": 20.0, "lost": 5.0, "evidence": {"ground": "focus"},
        "last_visit": to_micros(NOW - timedelta(days=20)), "gap_days": 10.0,
    } | more  # fmt: skip


@pytest.fixture
def lists(shop: Shop) -> Shop:
    """A kept list of S1 with four customers; one has refused since, one is here."""
    today = NOW.date()
    campaign = {
        "campaign_id": "K1", "name": "冬のクリーム", "first": str(today - timedelta(days=3)),
        "last": str(today + timedelta(days=9)), "basis": "uplift",
        "proposals": [proposal("0002", 0.2), proposal("0003", 0.15, lost=90.0), proposal("0001", 0.1),
                      proposal("0004", 0.3)],
    }  # fmt: skip
    with writing(shop.engine) as session:
        session.add_all(Customer(customer_id=c, name=n, consent_profiling=c != "0004")
                        for c, n in (("0002", "=1+1"), ("0003", "鈴木 次郎"), ("0004", "内緒 さん")))  # fmt: skip
        session.add_all(Product(product_id=p, name=n) for p, n in (("F1", "保湿クリーム"), ("F2", "いつもの水")))
        session.add(
            Visit(
                visit_id="v", customer_id="0001", customer_ref="0001", store_id="S1", arrived_at=NOW, source="checkin"
            )
        )
        keep_result(session, "focus", {"store": "S1"}, {"campaigns": [campaign]}, computed_at=NOW, seconds=1.0,
                    names_persons=True)  # fmt: skip
    return shop


def test_a_manager_sees_whom_to_propose_to_those_here_first(lists: Shop) -> None:
    page = browser(lists, "manager", "S1").get("/store/focus?lang=ja").text
    assert "「冬のクリーム」は3人、うち1人が本日ご来店または来店予定です。" in page
    assert page.index("山田 太郎") < page.index("=1+1") < page.index("鈴木 次郎")
    assert "ご来店中" in page
    assert "「いつもの水」のほうが喜ばれます" in page
    assert "内緒" not in page  # refused profiling after the list was made
    assert "+20%" in page.replace("+20.0%", "+20%")
    sheet = browser(lists, "admin").get("/store/focus.csv?store=S1").text
    assert "冬のクリーム,0001,山田 太郎,checkin" in sheet
    assert "'=1+1" in sheet


def test_the_list_of_another_store_is_not_for_this_manager(lists: Shop) -> None:
    other = browser(lists, "manager", "S2")
    assert other.get("/store/focus?store=S1").status_code == 403
    assert other.get("/store/focus.csv?store=S1").status_code == 403
    assert "冬のクリーム" not in other.get("/store/focus").text
    assert other.get("/coe/focus").status_code == 403


def test_a_tablet_reads_its_own_stores_list(lists: Shop) -> None:
    (campaign,) = lists.signed_in().get("/api/focus").json["campaigns"]
    assert [c["customer_id"] for c in campaign["customers"]] == ["0001", "0002", "0003"]
    assert campaign["customers"][0]["talk"] == "ただいまおすすめしております。お試しになりませんか"
    assert [c["better_left"] for c in campaign["customers"]] == [False, False, True]
    assert lists.signed_in("C9", "S2").get("/api/focus").json == {"made_at": None, "campaigns": []}


def bought_first(shop: Shop, customers: int, arm: str, share: float) -> None:
    with writing(shop.engine) as session:
        for number in range(customers):
            name = f"{arm}{number:03}"
            session.add(
                Suggestion(suggestion_id=name, customer_id=name, store_id="S1", shown_at=NOW - timedelta(days=2),
                           product_id="X", rank=1, arm=arm)
            )  # fmt: skip
            if number < share * customers:
                session.add(
                    PosLine(receipt_id=name, line_no=1, store_id="S1", sold_at=NOW - timedelta(days=1),
                            local_day=20_000, customer_id=name, product_id="F1", quantity=1, amount=100)
                )  # fmt: skip


def test_the_coe_sees_the_effect_of_each_campaign(lists: Shop) -> None:
    days = timedelta(days=5)
    with writing(lists.engine) as session:
        session.add(
            ClerkTarget(campaign_id="K1", name="冬のクリーム", starts_on=(NOW - days).date(),
                        ends_on=(NOW + days).date(), product_id="F1")
        )  # fmt: skip
    coe = browser(lists, "coe")
    assert "対照群(何も提案しないお客様)がまだありません" in coe.get("/coe/focus?lang=ja").text
    bought_first(lists, 200, "treated", 0.30)
    bought_first(lists, 100, "holdout", 0.05)
    page = coe.get("/coe/focus?lang=ja").text
    assert "ご提案で新規購買が増えたと言える重点商品:冬のクリーム。" in page
    assert "25%(" in page.replace("25.0%", "25%")
    assert "K1,冬のクリーム,treated,200,0.3,0.25" in coe.get("/coe/focus.csv").text
    token = form_token(page)
    assert coe.post("/coe/focus", data={"form_token": token}).status_code == 409  # no model has been promoted
    assert coe.post("/coe/focus", data={}).status_code == 403


def test_lists_are_made_from_the_record_and_go_with_an_erasure(shop: Shop, settings: Settings) -> None:
    Registry(settings.storage.home).add(
        replace(model(), customer_ids=["0001", "0002"], ahead=lists_of([[own("P0", 0.4), new("P4", 0.2, "P0")], []],
                                                                       [f"P{n}" for n in range(10)])),
        now=NOW,
    )  # fmt: skip
    with writing(shop.engine) as session:
        session.add_all(Product(product_id=f"P{n}", name=f"商品{n}", price=100) for n in range(10))
        session.add(
            PosLine(receipt_id="r", line_no=1, store_id="S1", sold_at=NOW - timedelta(days=5),
                    local_day=(NOW - timedelta(days=5)).date().toordinal() - 719_163, customer_id="0001",
                    product_id="P0", quantity=1, amount=100)
        )  # fmt: skip
        session.add(ClerkTarget(campaign_id="K2", name="春", starts_on=(NOW - timedelta(days=2)).date(),
                                ends_on=(NOW + timedelta(days=9)).date(), product_id="P4"))  # fmt: skip
        session.flush()
        mark_days(session.connection(), "pos_lines", [(NOW - timedelta(days=5)).date().toordinal() - 719_163])
        for table in ("products", "customers", "stores"):
            mark_days(session.connection(), table, [WHOLE])
    document = make_focus(shop.engine, settings, now=NOW)
    assert (document["basis"], document["backtest"]) == ("probability", None)
    assert document["campaigns"][0]["stores"] == [{"store_id": "S1", "customers": 1, "better_left": 0, "expected": 0.2}]
    with writing(shop.engine) as session:
        kept = stored_result(session, "focus", {"store": "S1"})
        assert kept is not None
        (found,) = kept.document["campaigns"][0]["proposals"]
        assert (found["customer_id"], found["product_id"], found["evidence"]["ground"]) == ("0001", "P4", "bought_with")
        erase_customer(session, "0001", actor="test", now=NOW)
        assert stored_result(session, "focus", {"store": "S1"}) is None
