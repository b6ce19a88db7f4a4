"""Products as a clerk asks for them: by barcode or name, and where they are in stock."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from journey.database import is_sqlite
from journey.errors import NotFound
from journey.products import Product, Stock
from journey.quick_statements import rows
from journey.search import HIRAGANA
from journey.stores import Store

KATAKANA_TO_HIRAGANA = {code + 0x60: code for code in range(0x3041, 0x3097)}


@dataclass(frozen=True)
class StockElsewhere:
    """How many another store has."""

    store_id: str
    name: str
    quantity: float


@dataclass(frozen=True)
class StockView:
    """``here`` is None where the store's stock is not known."""

    here: float | None = None
    as_of: datetime | None = None
    nearby: list[StockElsewhere] = field(default_factory=list)


PLACES = 3
_NEARBY = {
    sqlite: (
        "SELECT t.product_id, t.store_id, t.quantity, s.name, s.area = here.area AS close FROM stock t "
        "LEFT JOIN stores s ON s.store_id = t.store_id "
        f"LEFT JOIN stores here ON here.store_id = {mark.format('store')} "
        f"WHERE t.product_id {among} AND t.quantity > 0 AND t.store_id <> {mark.format('store')}"
    )
    for sqlite, mark, among in (
        (True, ":{}", "IN (SELECT value FROM json_each(:products))"), (False, "%({})s", "= ANY(%(products)s)"),
    )
}  # fmt: skip


def check_digit_fits(code: str) -> bool:
    """Whether the last digit of a JAN/EAN-8, UPC-A or EAN-13 is its check digit (weights 1 and 3 from the right)."""
    if not re.fullmatch(r"\d{8}|\d{12}|\d{13}", code):
        return False
    digits = [int(digit) for digit in reversed(code)]
    return (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0


def possible_product_codes(typed: str) -> list[str]:
    """The product ids that a scan or typed text may stand for: as it is, without spaces, UPC-A as EAN-13."""
    plain = unicodedata.normalize("NFKC", typed).strip()
    bare = re.sub(r"[\s\-]", "", plain)
    codes = [typed.strip(), plain, bare]
    if len(bare) == 12 and check_digit_fits(bare):
        codes.append("0" + bare)
    if len(bare) == 13 and bare.startswith("0") and check_digit_fits(bare):
        codes.append(bare[1:])
    return [code for code in dict.fromkeys(codes) if code]


def find_products(session: Session, typed: str, *, limit: int = 20) -> list[Product]:
    """Products by id or barcode, else by name or brand; those still sold come first.

    A barcode that is no product is not searched as a name: nothing is a better answer than something else.
    """
    if not typed.strip():
        return []
    exact = session.scalars(select(Product).where(Product.product_id.in_(possible_product_codes(typed)))).all()
    if exact or check_digit_fits(re.sub(r"[\s\-]", "", typed)):
        return list(exact)
    plain = unicodedata.normalize("NFKC", typed).strip().lower()
    forms = {plain, plain.translate(HIRAGANA), plain.translate(KATAKANA_TO_HIRAGANA)}
    patterns = [f"%{_escaped(form)}%" for form in sorted(forms)]
    statement = (
        select(Product)
        .where(
            or_(
                *(func.lower(Product.name).like(pattern, escape="\\") for pattern in patterns),
                *(func.lower(Product.brand).like(pattern, escape="\\") for pattern in patterns),
            )
        )
        .order_by(Product.discontinued_on.is_not(None), Product.stub, Product.name, Product.product_id)
        .limit(limit)
    )
    return list(session.scalars(statement))


def product(session: Session, product_id: str) -> Product:
    """One product by id or barcode.

    Raises:
        NotFound: there is none.
    """
    found = session.scalars(select(Product).where(Product.product_id.in_(possible_product_codes(product_id)))).all()
    for candidate in found:
        if candidate.product_id == product_id:
            return candidate
    if found:
        return found[0]
    raise NotFound(f"no product {product_id!r}", where="product_id", what_to_do="scan it again or search by name")


def nearby(session: Session, product_ids: Sequence[str], store_id: str) -> dict[str, list[StockElsewhere]]:
    """Which other stores have each product, in the order of `stock_of`, read quickly."""
    sqlite = is_sqlite(session)
    listed = json.dumps(list(product_ids)) if sqlite else list(product_ids)
    found: dict[str, list[Any]] = {}
    for row in rows(session, _NEARBY[sqlite], {"store": store_id, "products": listed}):
        found.setdefault(row[0], []).append(row)
    return {
        product_id: [
            StockElsewhere(other, name or other, quantity)
            for _, other, quantity, name, _ in sorted(stock, key=lambda row: (not row[4], -row[2], row[1]))[:PLACES]
        ]
        for product_id, stock in found.items()
    }


def stock_of(
    session: Session, product_ids: Sequence[str], store_id: str | None, *, places: int = PLACES
) -> dict[str, StockView]:
    """Stock here and in other stores: those of the same area first, then those with the most. One statement."""
    if not product_ids:
        return {}
    area = session.scalar(select(Store.area).where(Store.store_id == store_id)) if store_id else None
    counts = session.execute(
        select(Stock.product_id, Stock.store_id, Stock.quantity, Stock.as_of, Store.name, Store.area)
        .outerjoin(Store, Store.store_id == Stock.store_id)
        .where(Stock.product_id.in_(list(dict.fromkeys(product_ids))))
    ).all()
    found: dict[str, StockView] = {}
    for product_id in product_ids:
        mine = [row for row in counts if row.product_id == product_id]
        here = next((row for row in mine if row.store_id == store_id), None)
        others = sorted(
            (row for row in mine if row.store_id != store_id and row.quantity > 0),
            key=lambda row: (row.area != area or area is None, -row.quantity, row.store_id),
        )
        found[product_id] = StockView(
            here=here.quantity if here else None,
            as_of=here.as_of if here else None,
            nearby=[StockElsewhere(row.store_id, row.name or row.store_id, row.quantity) for row in others[:places]],
        )
    return found


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
