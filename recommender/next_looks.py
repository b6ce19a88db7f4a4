"""What the session model of the version in use says of the products at hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from recommender.candidate_set import Candidates
from recommender.gathering import LoadedModel
from recommender.live_interest import next_look_part

if TYPE_CHECKING:
    from recommender.candidates.sessions import SessionRanker

COMPANIONS: Final = 20


class NextLooks:
    """Holds the ranker of one version. The model library is loaded with the first question, not with the worker."""

    def __init__(self) -> None:
        self._held: tuple[str, SessionRanker] | None = None

    def parts(self, loaded: LoadedModel, seen: Sequence[str]) -> list[Candidates]:
        """Candidates that are looked at together with the latest of `seen`; none without a session model."""
        context = [n for product_id in seen if (n := loaded.catalogue.number(product_id)) >= 0]
        if loaded.model.sessions is None or not context:
            return []
        held = self._held
        if held is None or held[0] != loaded.version:
            from recommender.candidates.sessions import SessionRanker

            held = self._held = loaded.version, SessionRanker(loaded.model.sessions)
        product, share = held[1].companions(context, COMPANIONS)
        return [next_look_part(product, share, context[-1])] if len(product) else []
