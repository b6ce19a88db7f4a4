"""Arrivals to come, by weekday, quarter hour, season and holiday."""

from analytics.forecast.accuracy import Accuracy, backtest, pinball, wape
from analytics.forecast.calendar import DayKinds, day_kinds
from analytics.forecast.model import ArrivalModel, fit_arrivals

__all__ = ["Accuracy", "ArrivalModel", "DayKinds", "backtest", "day_kinds", "fit_arrivals", "pinball", "wape"]
