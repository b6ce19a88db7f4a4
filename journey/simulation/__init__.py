"""The invented chain: writes extract folders whose laws are known, and the truth beside them.

``simulate`` draws stores, clerks, products and persons, lets them live day by day, and writes what the retailer's
systems would have delivered. It knows nothing of what reads the folder. All numbers are in ``laws.Laws``; the laws in
words are in ``docs/simulation.md``.
"""

from journey.simulation.laws import Laws
from journey.simulation.run import DEFAULT_END, simulate

__all__ = ["DEFAULT_END", "Laws", "simulate"]
