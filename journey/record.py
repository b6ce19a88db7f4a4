"""Every table of the record in one place, so that ``Base.metadata`` is whole wherever this is imported."""

from __future__ import annotations

from journey import (
    accounts,
    actions,
    analysis_results,
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
    questionnaires,
    rosters,
    stores,
    suggestions,
    survey_invitations,
    survey_tasks,
    surveys,
    traffic,
    units,
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
    questionnaires,
    survey_invitations,
    survey_tasks,
    suggestions,
    outcomes,
    offers,
    accounts,
    units,
    actions,
    analysis_results,
    audit,
    erasures,
    fact_days,
    ledger,
)
metadata = Base.metadata
