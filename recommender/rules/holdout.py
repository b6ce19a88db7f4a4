"""The hold-out arm: customers for whom nothing is shown, by design, so that the effect of proposals can be known."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from journey.suggestions import HOLD_OUT

HOLDOUT: Final = HOLD_OUT
TREATED: Final = "treated"


@lru_cache(maxsize=4096)
def arm_of(customer_id: str | None, share: float, salt: str) -> str:
    """The arm of a customer: a fixed share by hash, the same on every day and in every store. Nobody: treated."""
    if customer_id is None or share <= 0:
        return TREATED
    drawn = int.from_bytes(hashlib.sha256(f"{salt}:{customer_id}".encode()).digest()[:8], "big") / 2**64
    return HOLDOUT if drawn < share else TREATED
