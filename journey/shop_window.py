"""What a small web shop shows: its shelves by category, and members to log in as where it is a demonstration."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from journey.customers import Customer
from journey.identity import Identity
from journey.products import Product
from journey.stores import Store

LEVELS = " > "
EC_PREFIX = "EC"


def on_sale(session: Session, *, category: str = "", limit: int = 24) -> list[Product]:
    """Products on sale with a price, of a category (its first level) or of all, the latest released first."""
    statement = select(Product).where(
        Product.discontinued_on.is_(None), Product.price.is_not(None), Product.stub.is_(False)
    )
    if category:
        statement = statement.where(
            (Product.category == category) | Product.category.startswith(category + LEVELS, autoescape=True)
        )
    newest = Product.released_on.desc().nulls_last()
    return list(session.scalars(statement.order_by(newest, Product.product_id).limit(limit)))


def departments(session: Session) -> list[str]:
    """The first levels of the categories, the largest first."""
    rows = session.execute(
        select(Product.category, func.count()).where(Product.category.is_not(None)).group_by(Product.category)
    )
    counted: dict[str, int] = {}
    for category, count in rows:
        top = str(category).split(LEVELS)[0]
        counted[top] = counted.get(top, 0) + count
    return sorted(counted, key=lambda name: (-counted[name], name))


def products_by_id(session: Session, product_ids: list[str]) -> list[Product]:
    """These products, in this order."""
    found = {one.product_id: one for one in session.scalars(select(Product).where(Product.product_id.in_(product_ids)))}
    return [found[product_id] for product_id in product_ids if product_id in found]


def web_store(session: Session) -> str | None:
    """The store of the web shop: the first whose id begins with EC, else the first of all."""
    ids = session.scalars(select(Store.store_id).order_by(Store.store_id)).all()
    return next((store_id for store_id in ids if store_id.startswith(EC_PREFIX)), ids[0] if ids else None)


def pick_up_stores(session: Session) -> list[Store]:
    """Stores with a door, where an order can be collected."""
    stores = session.scalars(select(Store).where(Store.stub.is_(False)).order_by(Store.store_id)).all()
    return [store for store in stores if not store.store_id.startswith(EC_PREFIX)]


def members_to_try(session: Session, *, limit: int = 8) -> list[Customer]:
    """Some members with a card and a name."""
    cards = select(Identity.customer_id).where(Identity.kind == "card")
    statement = select(Customer).where(
        Customer.customer_id.in_(cards), Customer.name.is_not(None), Customer.merged_into.is_(None),
        Customer.erased_at.is_(None), Customer.consent_profiling.is_not(False),
    )  # fmt: skip
    return list(session.scalars(statement.order_by(Customer.customer_id).limit(limit)))
