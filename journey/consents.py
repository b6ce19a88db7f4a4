"""What a customer allows, as told to a clerk: two answers, each its own, each change on the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from journey.audit import record_act
from journey.customers import Customer
from journey.fact_days import WHOLE, mark_days

CONSENT = "customer.consent"


def record_consent(
    session: Session, customer: Customer, *, profiling: bool | None, contact: bool | None, actor: str, now: datetime
) -> bool:
    """Write down the answers that were given (None: this one was not asked); returns whether anything changed.

    The audit log keeps before and after: a consent has to be shown to have been given.
    """
    given = {"consent_profiling": profiling, "consent_contact": contact}
    changed = {
        name: [getattr(customer, name), answer]
        for name, answer in given.items()
        if answer is not None and getattr(customer, name) is not answer
    }
    if not changed:
        return False
    for name, (_, answer) in changed.items():
        setattr(customer, name, answer)
    session.flush()
    mark_days(session.connection(), "customers", [WHOLE])
    record_act(
        session,
        at=now,
        actor=actor,
        action=CONSENT,
        subject_kind="customer",
        subject_id=customer.customer_id,
        detail=changed,
    )
    return True
