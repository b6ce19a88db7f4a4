"""The columns that many tables of the extract share, so that each is described once."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from journey.intake.layout import Column, Kind

CHANNELS = ("store", "ec", "app")


def table_of(model: Any) -> Table:
    """The table of a model."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def identifier(name: str, **more: Any) -> Column:
    """A column with an opaque id."""
    return Column(name, Kind.ID, **more)


def key(name: str, kind: Kind = Kind.ID, **more: Any) -> Column:
    """A required column of the natural key."""
    return Column(name, kind, required=True, key=True, **more)


def time(name: str, **more: Any) -> Column:
    """A column with a moment."""
    return Column(name, Kind.INSTANT, **more)


def number(name: str, **more: Any) -> Column:
    """A column with a number."""
    return Column(name, Kind.NUMBER, **more)


def store(**more: Any) -> Column:
    """The store, by id."""
    return identifier("store_id", refers="stores", **more)


def clerk(**more: Any) -> Column:
    """The clerk, by id."""
    return identifier("clerk_id", refers="clerks", **more)


def product(**more: Any) -> Column:
    """The product, by id."""
    return identifier("product_id", refers="products", **more)


def customer(**more: Any) -> Column:
    """The customer as delivered; stored beside what it resolves to."""
    return identifier("customer_id", target="customer_ref", refers="customers", **more)
