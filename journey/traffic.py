"""People counted at the door."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from journey.database import Base, Instant


class Traffic(Base):
    """How many people entered and left a store in a bucket of ``minutes``."""

    __tablename__ = "traffic"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    minutes: Mapped[int]
    entered: Mapped[int]
    left: Mapped[int | None]
