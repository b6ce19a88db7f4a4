"""Who was erased: only salted digests, so that a later delivery cannot bring the person back unnoticed."""

from __future__ import annotations

import hashlib
from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant


class Erasure(Base):
    """One identifier of an erased person: SHA-256 of salt, kind and value. It tells no one who it was."""

    __tablename__ = "erasures"

    digest: Mapped[str] = mapped_column(primary_key=True)
    salt: Mapped[str]
    erased_at: Mapped[datetime] = mapped_column(Instant)


def digest(salt: str, kind: str, value: str) -> str:
    """The digest of an identifier; ``kind`` is ``customers`` or a kind of identity."""
    return hashlib.sha256(f"{salt}\x1f{kind}\x1f{value}".encode()).hexdigest()
