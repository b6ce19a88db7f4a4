"""What every group of features is."""

from typing import Protocol, Self

from recommender.baskets import Floats
from recommender.candidates.pool import Candidates
from recommender.views import View


class FeatureGroup(Protocol):
    """Some columns of the ranker's matrix, computed from one view, for each candidate by itself."""

    def fit(self, view: View) -> Self:
        """Collect statistics of the view's history."""
        ...

    def columns(self, candidates: Candidates) -> dict[str, Floats]:
        """Feature name → one float32 per candidate, NaN where unknown; the same names for every view."""
        ...
