"""What a store's manager should act on today: a few findings, each with its evidence and something to do."""

from analytics.today.finding import Finding
from analytics.today.scorer import Asked, find, findings

__all__ = ["Asked", "Finding", "find", "findings"]
