"""Every table of the record in one place, so that ``Base.metadata`` is whole wherever this is imported."""

from __future__ import annotations

from journey import (
    accounts,
    actions,
    audit,
    coupons,
    customers,
    erasures,
    fact_days,
    identity,
    offers,
    outcomes,
    products,
    purchases,
    rosters,
    stores,
    suggestions,
    surveys,
    traffic,
    visits,
    web,
)
from journey.database import Base
from journey.intake import ledger

TABLE_MODULES = (
    stores,
    products,
    customers,
    identity,
    purchases,
    web,
    coupons,
    visits,
    traffic,
    rosters,
    surveys,
    suggestions,
    outcomes,
    offers,
    accounts,
    actions,
    audit,
    erasures,
    fact_days,
    ledger,
)
metadata = Base.metadata
