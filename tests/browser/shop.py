"""A small shop as it looks on a Sunday: people, merchandise, habits, and a customer who has just checked in.

Used by the browser tests, by scripts/screens and by scripts/bench/tablet; everything is invented, and the same
``now`` gives the same shop.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from threadpoolctl import threadpool_limits

from journey.accounts import add_account, pin_hash
from journey.coupons import Coupon, CouponGrant
from journey.customers import Customer, CustomerNote
from journey.database import writing
from journey.devices import add_device
from journey.identity import Identity
from journey.know_how_cards import CardText, make_card, publish_card
from journey.local_days import day_bounds, local_date, zone
from journey.outcomes import FollowUp
from journey.products import Product, Stock
from journey.purchases import PosLine
from journey.search import search_key
from journey.stores import Clerk, Store
from journey.suggestions import ClerkTarget
from journey.surveys import Answer, Survey
from journey.visits import Order, Visit
from journey.web import WebEvent
from recommender.dataset import Dataset
from recommender.registry import Registry
from recommender.training import train

PIN = "2580"
TOKYO = zone("Asia/Tokyo")
STORE, OTHER_STORE = "S1", "S2"
HANAKO, ICHIRO, NO_CONSENT, NEWCOMER = "K0001", "K0002", "K0003", "K0004"
# The same card as JAN, as NW-7 with its start and stop marks, and Ichiro's as CODE39.
HANAKO_CARD, ICHIRO_CARD = "2900000000018", "77001234"
CLERKS = (("C1", "佐藤 花子"), ("C2", "鈴木 健一"), ("C3", "高橋 美咲"), ("C4", "田中 大輔"))

# name, category, brand, price, days between purchases
GOODS: tuple[tuple[str, str, str, int, int], ...] = (
    ("ゆずとほうじ茶のハンドクリーム 60g", "ビューティー > ハンドケア > ハンドクリーム", "つむぎ", 1280, 45),
    ("無香料ハンドミルク ポンプ 200mL", "ビューティー > ハンドケア > ハンドミルク", "つむぎ", 980, 50),
    ("薬用しっとり美容液 30mL", "ビューティー > スキンケア > 美容液", "しずく", 3960, 60),
    ("米ぬか化粧水 つめかえ 180mL", "ビューティー > スキンケア > 化粧水", "しずく", 1650, 30),
    ("朝用ジェル洗顔 120g", "ビューティー > スキンケア > 洗顔", "しずく", 1100, 40),
    ("敏感肌用日やけ止めミルク 50mL", "ビューティー > 日やけ止め > ミルク", "ひなた", 2178, 60),
    ("やわらかコットン 200枚", "ビューティー > 化粧小物 > コットン", "しらゆき", 328, 20),
    ("国産麦茶 ティーバッグ 54袋", "食品 > 飲料 > 麦茶", "朝露", 398, 21),
    ("深むし緑茶 100g", "食品 > 飲料 > 緑茶", "朝露", 864, 30),
    ("玄米せんべい しお 12枚", "食品 > 菓子 > せんべい", "いろは堂", 298, 14),
    ("きなこ棒 20本", "食品 > 菓子 > 和菓子", "いろは堂", 258, 14),
    ("甘酒 ストレート 500mL", "食品 > 飲料 > 甘酒", "こめ蔵", 540, 18),
    ("液体洗剤 つめかえ 750g", "日用品 > 洗剤 > 洗濯洗剤", "そよぎ", 548, 28),
    ("柔軟剤 せっけんの香り 500mL", "日用品 > 洗剤 > 柔軟剤", "そよぎ", 428, 35),
    ("食器用洗剤 ゆず 240mL", "日用品 > 洗剤 > 食器用洗剤", "そよぎ", 218, 30),
    ("ふんわりトイレットペーパー 12ロール", "日用品 > 紙製品 > トイレットペーパー", "しらゆき", 648, 20),
    ("保湿ティシュー 3箱", "日用品 > 紙製品 > ティシュー", "しらゆき", 498, 18),
    ("歯みがき やさしいミント 120g", "日用品 > オーラルケア > 歯みがき", "みがき屋", 498, 35),
    ("やわらか歯ブラシ 3本", "日用品 > オーラルケア > 歯ブラシ", "みがき屋", 598, 40),
    ("薬用入浴剤 ひのき 600g", "日用品 > 入浴剤 > 薬用入浴剤", "ゆのか", 880, 30),
    ("ビタミンC サプリメント 60粒", "ヘルスケア > サプリメント > ビタミン", "すこやか", 1480, 30),
    ("乳酸菌タブレット 90粒", "ヘルスケア > サプリメント > 乳酸菌", "すこやか", 1980, 45),
    ("のど飴 はちみつかりん 80g", "ヘルスケア > のど > のど飴", "すこやか", 298, 14),
    ("温熱シート 6枚", "ヘルスケア > 温熱 > 温熱シート", "ぬくもり", 780, 20),
)
FAMILIES = (
    "山本 ヤマモト",
    "加藤 カトウ",
    "吉田 ヨシダ",
    "佐々木 ササキ",
    "松本 マツモト",
    "井上 イノウエ",
    "木村 キムラ",
    "林 ハヤシ",
    "清水 シミズ",
    "森 モリ",
)
GIVEN = ("恵 メグミ", "誠 マコト", "愛 アイ", "拓也 タクヤ", "直子 ナオコ", "亮 リョウ")


def jan(number: int) -> str:
    """A JAN-13 with the check digit it must have."""
    digits = f"49{number:010d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return digits + str(-total % 10)


PRODUCTS = tuple(jan(8_700_000 + place) for place in range(len(GOODS)))
HAND_CREAM, SERUM, BARLEY_TEA = PRODUCTS[0], PRODUCTS[2], PRODUCTS[7]


def open_shop(engine: Engine, home: Path, *, now: datetime, language: str = "ja") -> None:
    """Fill an empty, migrated database and train a model on it under ``home``."""
    random = Random(20)
    with writing(engine) as session:
        people(session, now)
        merchandise(session, now)
        lines = habits(session, now, random)
        events = browsing(session, now)
        today(session, now)
    learn(home, lines, events, now)


def people(session: Session, now: datetime) -> None:
    """Stores, staff with PINs, customers with cards."""
    for store_id, name in ((STORE, "青葉台店"), (OTHER_STORE, "駅前店")):
        session.add(
            Store(store_id=store_id, name=name, area="神奈川", timezone="Asia/Tokyo", opened_on=date(2012, 4, 1))
        )
    for clerk_id, name in (*CLERKS, ("M1", "伊藤 さくら")):
        role = "manager" if clerk_id == "M1" else "clerk"
        session.add(Clerk(clerk_id=clerk_id, store_id=STORE, name=name, role=role))
    session.flush()
    hashed = pin_hash(PIN)  # takes its time on purpose: once is enough
    for clerk_id, name in (*CLERKS, ("M1", "伊藤 さくら")):
        role = "manager" if clerk_id == "M1" else "clerk"
        add_account(session, name=name, role=role, clerk_id=clerk_id, now=now).pin_hash = hashed
    named: list[tuple[str, str, str, str | None, bool | None]] = [
        (HANAKO, "山田 花子", "ヤマダ ハナコ", "gold", True),
        (ICHIRO, "中村 一郎", "ナカムラ イチロウ", "silver", True),
        (NO_CONSENT, "小林 由美", "コバヤシ ユミ", None, False),
        (NEWCOMER, "渡辺 翔", "ワタナベ ショウ", None, None),
    ]
    for place in range(60):
        family, given = FAMILIES[place % 10].split(), GIVEN[place % 6].split()
        named.append((f"K{place + 100:04d}", f"{family[0]} {given[0]}", f"{family[1]} {given[1]}", None, None))
    for customer_id, name, kana, tier, consent in named:
        session.add(
            Customer(
                customer_id=customer_id,
                name=name,
                kana=kana,
                tier=tier,
                joined_on=date(2023, 4, 1),
                consent_profiling=consent,
                consent_contact=consent,
                search_key=search_key(name, kana),
            )
        )
    for customer_id, card in ((HANAKO, HANAKO_CARD), (ICHIRO, ICHIRO_CARD), (NO_CONSENT, "2900000000032")):
        session.add(Identity(kind="card", value=card, customer_ref=customer_id, customer_id=customer_id, linked_at=now))


def merchandise(session: Session, now: datetime) -> None:
    """Products with stock here and there; the sun milk is out here, the serum nearly."""
    for place, (product_id, (name, category, brand, price, _)) in enumerate(zip(PRODUCTS, GOODS, strict=True)):
        session.add(
            Product(
                product_id=product_id,
                name=name,
                category=category,
                brand=brand,
                price=Decimal(price),
                released_on=date(2024, 3, 1),
            )
        )
        here = {2: 2, 5: 0}.get(place, 6 + place)
        session.add(Stock(store_id=STORE, product_id=product_id, quantity=here, as_of=now))
        session.add(Stock(store_id=OTHER_STORE, product_id=product_id, quantity=4 + place % 5, as_of=now))
    session.add(
        ClerkTarget(
            campaign_id="autumn",
            name="秋の手もとケア",
            starts_on=now.date() - timedelta(days=10),
            ends_on=now.date() + timedelta(days=10),
            product_id=SERUM,
            stores=None,
        )
    )


def habits(session: Session, now: datetime, random: Random) -> list[dict[str, Any]]:
    """Half a year of purchases: everybody has a few goods that they buy again and again."""
    lines: list[dict[str, Any]] = []
    tastes = {HANAKO: [3, 6, 7, 9, 16], ICHIRO: [8, 10, 12, 17], NO_CONSENT: [12, 15]}
    for place in range(60):
        tastes[f"K{place + 100:04d}"] = random.sample(range(len(GOODS)), 5) + [random.choice((0, 2, 6, 7))]
    for customer_id, goods in tastes.items():
        for good in goods:
            moment = now - timedelta(days=random.randint(150, 180), hours=random.randint(0, 8))
            while moment < now - timedelta(days=5):
                receipt = f"R-{customer_id}-{moment:%Y%m%d}"
                lines.append(
                    {
                        "receipt_id": receipt,
                        "store_id": STORE,
                        "sold_at": moment,
                        "customer_id": customer_id,
                        "product_id": PRODUCTS[good],
                        "quantity": 1.0,
                        "amount": Decimal(GOODS[good][3]),
                    }
                )
                moment += timedelta(days=max(5, round(random.gauss(GOODS[good][4], 4))))
    for number, line in enumerate(lines):
        session.add(
            PosLine(
                **line,
                line_no=number,
                local_day=(line["sold_at"].date() - date(1970, 1, 1)).days,
                channel="store",
                customer_ref=line["customer_id"],
            )
        )
    return lines


def browsing(session: Session, now: datetime) -> list[dict[str, Any]]:
    """What Hanako looked at since Friday."""
    looked = (
        (20, "view", SERUM, None),
        (20.2, "view", SERUM, None),
        (21, "view", SERUM, None),
        (44, "view", HAND_CREAM, None),
        (45, "search", None, "手荒れ 無香料"),
        (70, "favorite", PRODUCTS[5], None),
        (3, "cart", HAND_CREAM, None),
    )
    events = []
    for number, (hours, kind, product_id, query) in enumerate(looked):
        event = {
            "event_id": f"E{number}",
            "occurred_at": now - timedelta(hours=hours),
            "visitor_id": "V1",
            "session_id": f"W{int(hours) // 12}",
            "customer_id": HANAKO,
            "kind": kind,
            "product_id": product_id,
        }
        events.append(event)
        session.add(WebEvent(**event, customer_ref=HANAKO, query=query))
    return events


def today(session: Session, now: datetime) -> None:
    """Who is here or expected, coupons, the last answer, a note, a promise to come back to."""
    day = local_date(now, TOKYO)  # of the shop, also where this runs elsewhere or late in the evening
    _, midnight = day_bounds(day, TOKYO)
    session.add(
        Visit(
            visit_id="VIS1",
            store_id=STORE,
            customer_id=HANAKO,
            customer_ref=HANAKO,
            source="checkin",
            arrived_at=now - timedelta(minutes=4),
        )
    )
    session.add(
        Order(
            order_id="M-2041",
            customer_id=ICHIRO,
            customer_ref=ICHIRO,
            store_id=STORE,
            ordered_at=now - timedelta(hours=20),
            pickup_at=min(now + timedelta(minutes=30), midnight - timedelta(minutes=1)),
            status="ready",
        )
    )
    session.add(
        Order(
            order_id="M-2038",
            customer_id=HANAKO,
            customer_ref=HANAKO,
            store_id=STORE,
            ordered_at=now - timedelta(hours=26),
            pickup_at=now,
            status="ready",
        )
    )
    session.add(
        Coupon(
            coupon_id="Q1",
            name="スキンケア 10%引き",
            kind="percent",
            value=Decimal(10),
            valid_from=now - timedelta(days=3),
            valid_until=now + timedelta(days=7),
            channels="store|ec|app",
        )
    )
    for customer_id in (HANAKO, ICHIRO):
        session.add(
            CouponGrant(
                coupon_id="Q1",
                customer_ref=customer_id,
                customer_id=customer_id,
                granted_at=now - timedelta(days=3),
                channel="app",
            )
        )
    session.add(Survey(survey_id="onetap", name="ご来店後アンケート", kind="one_tap", touchpoint="store"))
    session.add(
        Answer(
            response_id="A1",
            question="satisfaction",
            touchpoint="store",
            survey_id="onetap",
            customer_id=HANAKO,
            customer_ref=HANAKO,
            store_id=STORE,
            asked_at=now - timedelta(days=12),
            answered_at=now - timedelta(days=12),
            score=8,
            scale_min=0,
            scale_max=10,
            comment="相談にのってもらえて安心しました。",
        )
    )
    session.add(
        CustomerNote(
            note_id="N1",
            customer_id=HANAKO,
            clerk_id="C2",
            store_id=STORE,
            written_at=now - timedelta(days=40),
            text="無香料がお好み。冬は手荒れしやすいとのこと。",
        )
    )
    session.flush()
    text = CardText(
        title="手の甲でお試しいただく",
        talk_line="手の甲に少しつけて、香りとのびを確かめてみませんか",
        how="テスターを先に開けておき、ご自身の手でお試しいただきます。",
        category="ビューティー > ハンドケア",
    )
    make_card(session, "KH1", text, store_id=None, by="coe", now=now - timedelta(days=20))
    publish_card(session, "KH1", now=now - timedelta(days=14))
    session.add(
        FollowUp(
            follow_up_id="5b0c1b8e-8f3a-4a53-9f5e-0a6d2f6f1c11",
            customer_id=HANAKO,
            store_id=STORE,
            clerk_id="C1",
            due_on=day,
            text="薬用しっとり美容液 30mL",
            created_at=now - timedelta(days=7),
        )
    )


def learn(home: Path, lines: list[dict[str, Any]], events: list[dict[str, Any]], now: datetime) -> None:
    """Train on these purchases and put the model into use."""
    goods = [
        {"product_id": product_id, "name": name, "category": category, "brand": brand, "price": float(price)}
        for product_id, (name, category, brand, price, _) in zip(PRODUCTS, GOODS, strict=True)
    ]
    bought = [{**line, "amount": float(line["amount"])} for line in lines]
    dataset = Dataset.from_frames(lines=pl.DataFrame(bought), events=pl.DataFrame(events), products=pl.DataFrame(goods))
    registry = Registry(home)
    with threadpool_limits(1, "blas"):
        version = registry.add(train(dataset, seed=3), now=now)
    registry.promote(version, now=now)


def enrolment_code(engine: Engine, store_id: str = STORE) -> str:
    """A code for a new tablet."""
    with writing(engine) as session:
        return add_device(session, store_id=store_id, name="カウンター", now=datetime.now(UTC))[1]
