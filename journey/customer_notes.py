"""Writing what clerks note about a customer."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from journey.customers import CustomerNote
from journey.errors import Conflict


def add_note(
    session: Session, *, note_id: str, customer_id: str, clerk_id: str, store_id: str, text: str, now: datetime
) -> tuple[CustomerNote, bool]:
    """Keep a note under an id made by the client; the same again changes nothing. Returns it, and whether it is new.

    Raises:
        Conflict: the id exists with other content.
    """
    known = session.get(CustomerNote, note_id)
    if known is not None:
        if (known.customer_id, known.clerk_id, known.text) != (customer_id, clerk_id, text):
            raise Conflict(
                f"note {note_id} exists with other content", where="note_id", what_to_do="send it under a new id"
            )
        return known, False
    note = CustomerNote(
        note_id=note_id, customer_id=customer_id, clerk_id=clerk_id, store_id=store_id, written_at=now, text=text
    )
    session.add(note)
    session.flush()
    return note, True
