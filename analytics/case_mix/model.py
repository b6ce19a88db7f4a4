"""The fitted case mix as something to keep: it scores rows of a frame or of the database without being fitted again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import ColumnElement, literal

from analytics.case_mix.design import design_matrix
from analytics.case_mix.terms import LevelTerm, LogitTerm, NumberTerm, Term
from analytics.rates import Floats

KINDS: dict[str, Any] = {"level": LevelTerm, "logit": LogitTerm, "number": NumberTerm}
FARTHEST_LOGIT = 12.0


@dataclass(frozen=True)
class CaseMix:
    """*coefficients* belong to the columns of *terms*, in their order; the level (intercept, stores) is not part of it.

    *clerk_variance* is how uncertain the mean logit of a clerk's own mix is for not knowing the coefficients exactly.
    """

    terms: tuple[Term, ...]
    coefficients: Floats
    clerk_variance: Mapping[str, float]

    @classmethod
    def nothing(cls) -> CaseMix:
        """Return the case mix of a chain that has proposed nothing yet: everything is alike."""
        return cls((), np.empty(0), {})

    def offsets(self, frame: pl.DataFrame) -> Floats:
        """Return the logit of each row, without level and clerk."""
        offsets = design_matrix(frame, self.terms)[:, 1:] @ self.coefficients
        return np.asarray(np.clip(offsets, -FARTHEST_LOGIT, FARTHEST_LOGIT))

    def sql(self, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[Any]:
        """Return the same logit as SQL over *columns*, one per column of the terms."""
        total: ColumnElement[Any] = literal(0.0)
        at = 0
        for term in self.terms:
            width = len(term.names)
            total = total + term.sql(columns[term.column], self.coefficients[at : at + width])
            at += width
        return total

    def variance(self, clerk_ids: Any) -> Floats:
        """Return the variance of each clerk's mean logit; the usual one for clerks who came later."""
        known = list(self.clerk_variance.values())
        usual = float(np.median(known)) if known else 0.0
        return np.array([self.clerk_variance.get(str(clerk), usual) for clerk in clerk_ids], dtype=np.float64)

    def as_json(self) -> dict[str, Any]:
        """Return a document that `from_json` reads."""
        kinds = {kind: name for name, kind in KINDS.items()}
        return {
            "terms": [{"kind": kinds[type(term)], **asdict(term)} for term in self.terms],
            "coefficients": self.coefficients.tolist(),
            "clerk_variance": dict(self.clerk_variance),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CaseMix:
        """Return the case mix of a document of `as_json`."""
        terms: list[Term] = []
        for one in document["terms"]:
            facts = {name: tuple(v) if isinstance(v, list) else v for name, v in one.items() if name != "kind"}
            terms.append(KINDS[one["kind"]](**facts))
        return cls(tuple(terms), np.array(document["coefficients"], dtype=np.float64), document["clerk_variance"])
