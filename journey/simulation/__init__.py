"""The invented chain: writes extract folders whose laws are known, and the truth beside them.

``simulate`` draws stores, clerks, products and persons, lets them live day by day, and writes what the retailer's
systems would have delivered. It knows nothing of what reads the folder. Every number is a field of ``laws.Laws``;
``docs/simulation.md`` says the same at length, with what to expect of an analysis. The laws in short:

- **Visits** (``occasions``): each person comes by BG/NBD, a Poisson process with a gamma rate (higher with a warm
  heart), leaving for good with a fixed probability after each occasion. Strangers fill the door up to
  ``rate(store, kind of day, quarter hour) × factor(day)``; public holidays are a kind of day of their own.
- **Baskets** (``baskets``): needs come due by cycles of their own, season scales them, favourites repeat, impulses
  follow popularity (Zipf) and taste, complements and intentions left by browsing, coupons and mails are added.
- **Floor** (``floor``): first come, first served; log-normal service; exponential patience; whoever waits longer goes
  unserved, and is shown no suggestion.
- **Suggestions** (``proposals``): uniform from a random pool, so the propensity is known; acceptance is logistic in
  taste, skill, practices, heart, congestion and uplift group; customers in the hold-out are shown nothing.
- **Experience** (``people``, ``voices``): touchpoint experiences move heart, head, the whole and nps with known
  weights; the heart moves visits, leaving, acceptance and the willingness to answer.
"""

from journey.simulation.laws import Laws
from journey.simulation.run import DEFAULT_END, simulate

__all__ = ["DEFAULT_END", "Laws", "simulate"]
