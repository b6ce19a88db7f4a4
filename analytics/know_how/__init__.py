"""What those who succeed do otherwise, for like customers and products; and whether telling others helps."""

from analytics.know_how.card_effect import CardEffect, card_effect
from analytics.know_how.clustered import ClusteredFit, fit_clustered
from analytics.know_how.encounters import practice_cells
from analytics.know_how.practices import MIN_ODDS_RATIO, practice_odds
from analytics.know_how.report import report

__all__ = [
    "MIN_ODDS_RATIO",
    "CardEffect",
    "ClusteredFit",
    "card_effect",
    "fit_clustered",
    "practice_cells",
    "practice_odds",
    "report",
]
