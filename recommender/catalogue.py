"""What a worker keeps in memory about products and stores, in the model's own numbering; re-read now and then."""

from __future__ import annotations

import json
import threading
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from journey.products import Product
from journey.stores import DEFAULT_TIMEZONE, Store
from journey.suggestions import ClerkTarget
from recommender.id_table import IdTable, as_table
from recommender.trained import TrainedModel

EPOCH_DAY = date(1970, 1, 1)
REFRESH_AFTER = timedelta(seconds=60)
ALWAYS = np.iinfo(np.int32).max
REMEMBERED = 20_000
RESTRICTED = ("age_restricted", "sensitive")


@dataclass(frozen=True)
class Campaign:
    """A campaign for focus merchandise: days since 1970-01-01, stores (empty: all) and a mask over products."""

    campaign_id: str
    name: str
    first_day: int
    last_day: int
    stores: frozenset[str]
    focus: NDArray[np.bool_]

    def runs(self, store_id: str, day: int) -> bool:
        """Whether the campaign counts in a store on a day."""
        return self.first_day <= day <= self.last_day and (not self.stores or store_id in self.stores)


@dataclass(frozen=True)
class Catalogue:
    """Product facts by the model's product number, and campaigns.

    `pictures` are addresses as the master data give them; `category` numbers the whole category path (-1 unknown);
    `released_day` and `discontinued_day` are days since 1970-01-01; `restricted` marks what must never be inferred.
    """

    products: IdTable
    names: list[str]
    prices: list[Any]
    brands: list[str | None]
    pictures: list[str | None]
    category: NDArray[np.int32]
    category_names: list[str]
    restricted: NDArray[np.bool_]
    released_day: NDArray[np.int32]
    discontinued_day: NDArray[np.int32]
    campaigns: tuple[Campaign, ...]
    zones: dict[str, ZoneInfo]
    read_at: datetime
    folded: list[str] = field(repr=False)
    found: dict[str, NDArray[np.int32]] = field(default_factory=dict, repr=False)
    numbers: dict[str, int] = field(default_factory=dict, repr=False)
    ids: dict[int, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(
        cls, session: Session, model: TrainedModel, *, now: datetime, restricted_categories: Collection[str] = ()
    ) -> Catalogue:
        """Read what the database knows of the model's products."""
        products = as_table(model.product_ids)
        n = len(products)
        names, prices = [""] * n, [None] * n
        brands: list[str | None] = [None] * n
        pictures: list[str | None] = [None] * n
        category = np.full(n, -1, np.int32)
        numbers: dict[str, int] = {}
        restricted = np.zeros(n, np.bool_)
        released = np.full(n, -ALWAYS, np.int32)
        discontinued = np.full(n, ALWAYS, np.int32)
        table = Product.__table__.c
        rows = session.execute(
            select(table.product_id, table.name, table.price, table.brand, table.category, table.attributes,
                   table.released_on, table.discontinued_on)
        )  # fmt: skip
        for product_id, name, price, brand, path, attributes, released_on, discontinued_on in rows:
            i = products.find(product_id)
            if i < 0:
                continue
            names[i], prices[i], brands[i] = name, price, brand
            if path:
                category[i] = numbers.setdefault(path, len(numbers))
            if attributes:
                facts = json.loads(attributes) if isinstance(attributes, str) else attributes
                restricted[i] = any(is_true(facts.get(flag)) for flag in RESTRICTED)
                address = facts.get("image_url")
                pictures[i] = address if isinstance(address, str) else None
            if released_on is not None:
                released[i] = (released_on - EPOCH_DAY).days
            if discontinued_on is not None:
                discontinued[i] = (discontinued_on - EPOCH_DAY).days
        for path, number in numbers.items():
            if any(path == name or name in path.split(" > ") for name in restricted_categories):
                restricted[category == number] = True
        names = [name or products[i] for i, name in enumerate(names)]
        return cls(
            products, names, prices, brands, pictures, category, list(numbers), restricted, released, discontinued,
            _campaigns(session, products, category, list(numbers)), _zones(session), now, [fold(n) for n in names],
        )  # fmt: skip

    def number(self, product_id: str) -> int:
        """The position of a product, -1 where unknown; the ones asked for often are remembered, within bounds."""
        number = self.numbers.get(product_id)
        if number is None:
            number = self.products.find(product_id)
            if len(self.numbers) < REMEMBERED:
                self.numbers[product_id] = number
        return number

    def numbers_of(self, product_ids: Collection[str]) -> list[int]:
        """The positions of several products, as `number` tells one."""
        known = self.numbers.get
        found = [known(product_id) for product_id in product_ids]
        if None not in found:
            return found  # type: ignore[return-value]
        return [self.number(product_id) for product_id in product_ids]

    def id_of(self, number: int) -> str:
        """The id of a product, remembered as `number` does."""
        product_id = self.ids.get(number)
        if product_id is None:
            product_id = self.products[number]
            if len(self.ids) < REMEMBERED:
                self.ids[number] = product_id
        return product_id

    def category_of(self, product: int) -> str | None:
        """The category path of a product; None where unknown."""
        number = int(self.category[product])
        return None if number < 0 else self.category_names[number]

    def local_day(self, store_id: str, moment: datetime) -> int:
        """Days since 1970-01-01 on the store's own calendar."""
        return (moment.astimezone(self.zones.get(store_id, zone(DEFAULT_TIMEZONE))).date() - EPOCH_DAY).days

    def search(self, query: str, limit: int = 5) -> NDArray[np.int32]:
        """Products whose name holds every word of a query; the answer is remembered."""
        words = fold(query).split()
        key = " ".join(words)
        hits = self.found.get(key)
        if hits is None:
            hits = np.array(
                [i for i, name in enumerate(self.folded) if words and all(word in name for word in words)][:limit],
                np.int32,
            )
            if len(self.found) < REMEMBERED:
                self.found[key] = hits
        return hits


class Catalogues:
    """The catalogue of the served version, read again after REFRESH_AFTER; one thread reads, the others go on."""

    def __init__(self, restricted_categories: Collection[str] = ()) -> None:
        self._restricted = restricted_categories
        self._held: tuple[str, Catalogue] | None = None
        self._lock = threading.Lock()

    def get(self, session: Session, version: str, model: TrainedModel, *, now: datetime) -> Catalogue:
        """The catalogue in the numbering of `model`."""
        held = self._held
        usable = held is not None and held[0] == version
        if held is not None and usable and now - held[1].read_at < REFRESH_AFTER:
            return held[1]
        if self._lock.acquire(blocking=not usable):
            try:
                if self._held is held:
                    self._held = version, self._read(session, model, now=now)
            finally:
                self._lock.release()
        held = self._held
        if held is None or held[0] != version:  # another thread has gone on to a newer version meanwhile
            return self._read(session, model, now=now)
        return held[1]

    def _read(self, session: Session, model: TrainedModel, *, now: datetime) -> Catalogue:
        return Catalogue.read(session, model, now=now, restricted_categories=self._restricted)


def fold(text: str) -> str:
    """Text for comparing: full-width and half-width, capital and small alike."""
    return unicodedata.normalize("NFKC", text).casefold()


def is_true(value: object) -> bool:
    """Whether an attribute says yes; masters write it as true, 1, "true" or "yes"."""
    return value is True or value == 1 or (isinstance(value, str) and value.strip().casefold() in ("true", "1", "yes"))


@lru_cache
def zone(name: str) -> ZoneInfo:
    """A time zone, looked up once."""
    return ZoneInfo(name)


def _zones(session: Session) -> dict[str, ZoneInfo]:
    table = Store.__table__.c
    rows = session.execute(select(table.store_id, table.timezone))
    return {store_id: zone(name or DEFAULT_TIMEZONE) for store_id, name in rows}


def _campaigns(
    session: Session, products: IdTable, category: NDArray[np.int32], category_names: list[str]
) -> tuple[Campaign, ...]:
    campaigns = []
    for row in session.execute(select(ClerkTarget.__table__)):
        focus = np.zeros(len(products), np.bool_)
        if row.product_id and (i := products.find(row.product_id)) >= 0:
            focus[i] = True
        if row.category:
            below = f"{row.category} > "
            under = [n for n, path in enumerate(category_names) if path == row.category or path.startswith(below)]
            focus |= np.isin(category, under)
        stores = frozenset(part.strip() for part in (row.stores or "").split("|") if part.strip())
        first, last = ((day - EPOCH_DAY).days for day in (row.starts_on, row.ends_on))
        campaigns.append(Campaign(row.campaign_id, row.name, first, last, stores, focus))
    return tuple(campaigns)
