"""A counter to stand at: the small model's products, customers and stores in a real database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.outcomes import Outcome
from journey.products import Product, Stock
from journey.purchases import PosLine
from journey.stores import Store
from journey.suggestions import ClerkTarget, Dismissal
from recommender.acceptance import Acceptance
from recommender.catalogue import Catalogue
from recommender.gathering import LoadedModel
from recommender.id_table import as_table
from recommender.live_interest import DAY
from recommender.online_events import RecentEvent
from recommender.pipeline import compose
from recommender.requests import Policy, SuggestionRequest, SuggestionSet
from recommender.shown_sets import record_set
from recommender.trained import TrainedModel
from tests.recommender.worlds import model

NOW = datetime(2026, 6, 10, 3, tzinfo=UTC)  # noon in Tokyo
PLAIN = Policy(exploration=0.0)
CATEGORIES = ["飲料 > お茶", "飲料 > 水", "菓子 > 米菓", "菓子 > 飴", "日用品 > 洗剤"]


class Counter:
    """Sets the scene and asks."""

    def __init__(self, session: Session, trained: TrainedModel | None = None, policy: Policy = PLAIN) -> None:
        self.session = session
        self.policy = policy
        self.model = trained or model()
        session.add_all(Store(store_id=s, name=s, timezone="Asia/Tokyo") for s in ("S1", "S2"))
        session.add_all(Customer(customer_id=c, name=c) for c in self.model.customer_ids)
        session.add_all(
            Product(product_id=f"P{i}", name=f"商品{i}", category=CATEGORIES[i // 2], price=100 + i) for i in range(10)
        )
        session.flush()
        self.lines = 0

    def change(self, table: Any, key: str, **values: Any) -> None:
        row = self.session.get(table, key)
        for name, value in values.items():
            setattr(row, name, value)
        self.session.flush()

    def stock(self, product: str, quantity: float, store: str = "S1") -> None:
        self.session.add(Stock(store_id=store, product_id=product, quantity=quantity, as_of=NOW))
        self.session.flush()

    def bought(self, customer: str, product: str, *days_ago: float) -> None:
        for days in days_ago:
            self.lines += 1
            at = NOW - timedelta(days=days)
            self.session.add(
                PosLine(receipt_id=f"R{self.lines}", line_no=1, store_id="S1", sold_at=at, customer_id=customer,
                        local_day=(at + timedelta(hours=9)).date().toordinal() - date(1970, 1, 1).toordinal(),
                        product_id=product, quantity=1, amount=100)
            )  # fmt: skip
        self.session.flush()

    def answered(self, shown: SuggestionSet, product: str, result: str, days_ago: float = 0) -> None:
        suggestion = next(p.suggestion_id for p in shown.proposals if p.product_id == product)
        self.session.execute(
            insert(Outcome).values(outcome_id=f"O-{suggestion}", suggestion_id=suggestion, clerk_id="K1",
                                   occurred_at=NOW - timedelta(days=days_ago), result=result, current=True)
        )  # fmt: skip

    def dismissed(self, customer: str, product: str, until: datetime | None) -> None:
        self.session.add(
            Dismissal(dismissal_id=f"D{product}", customer_id=customer, product_id=product, clerk_id="K1",
                      dismissed_at=NOW - timedelta(days=1), until=until)
        )  # fmt: skip
        self.session.flush()

    def campaign(self, product: str, stores: str | None = None) -> None:
        self.session.add(
            ClerkTarget(campaign_id="C1", name="夏", starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 30),
                        product_id=product, stores=stores)
        )  # fmt: skip
        self.session.flush()

    def catalogue(self, trained: TrainedModel) -> Catalogue:
        restricted = self.policy.restricted_categories
        return Catalogue.read(self.session, trained, now=NOW, restricted_categories=restricted)

    def loaded(self) -> LoadedModel:
        trained = replace(
            self.model,
            product_ids=as_table(self.model.product_ids),
            customer_ids=as_table(self.model.customer_ids),
            store_ids=as_table(self.model.store_ids),
        )
        acceptance = Acceptance.of(trained.parameters.get("acceptance"))
        return LoadedModel("v1", trained, self.catalogue(trained), acceptance)

    def ask(
        self, customer: str | None = "A", *, events: Sequence[RecentEvent] = (), language: str = "ja",
        now: datetime = NOW, **request: Any,
    ) -> SuggestionSet:  # fmt: skip
        asked = SuggestionRequest(**({"store_id": "S1", "customer_id": customer, "clerk_id": "K1"} | request))
        answer = compose(
            self.session, self.loaded(), list(events), asked, now=now, policy=self.policy, language=language
        )
        record_set(self.session, answer)
        self.session.flush()
        return answer


def products(answer: SuggestionSet) -> list[str]:
    return [proposal.product_id for proposal in answer.proposals]


def event(kind: str, product: str = "", days_ago: float = 0, query: str = "") -> RecentEvent:
    return RecentEvent(int(NOW.timestamp() * 1e6) - int(days_ago * DAY), kind, product, query)
