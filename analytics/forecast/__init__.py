"""Arrivals to come, by weekday, quarter hour, season and holiday."""

from analytics.forecast.accuracy import Accuracy, backtest, chance_wape, past_weeks, pinball, wape
from analytics.forecast.calendar import DayKinds, country_of, day_kinds
from analytics.forecast.model import ArrivalModel, fit_arrivals

__all__ = [
    "Accuracy",
    "ArrivalModel",
    "DayKinds",
    "backtest",
    "chance_wape",
    "country_of",
    "day_kinds",
    "fit_arrivals",
    "past_weeks",
    "pinball",
    "wape",
]
