"""What those who succeed do otherwise, for like customers and products; and whether telling others helps."""

from analytics.know_how.card_effect import WINDOW_DAYS, CardEffect, card_effect
from analytics.know_how.cards import card_standing, kept_effects
from analytics.know_how.clustered import ClusteredFit, fit_clustered
from analytics.know_how.encounters import practice_cells
from analytics.know_how.examples import Example, examples
from analytics.know_how.practices import FLAGS, MIN_ODDS_RATIO, practice_odds
from analytics.know_how.report import report
from analytics.know_how.roll_up import findings, roll_up

__all__ = [
    "FLAGS",
    "MIN_ODDS_RATIO",
    "WINDOW_DAYS",
    "CardEffect",
    "ClusteredFit",
    "Example",
    "card_effect",
    "card_standing",
    "examples",
    "findings",
    "fit_clustered",
    "kept_effects",
    "practice_cells",
    "practice_odds",
    "report",
    "roll_up",
]
