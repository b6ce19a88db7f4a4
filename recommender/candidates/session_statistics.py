"""What sessions say about products: which follows which, which lie together, which are looked at again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from recommender.baskets import Floats
from recommender.candidates.session_table import Sessions, recency

STEPS: Final = 12
"""Looks further apart than this are not counted as following each other."""
FOLLOWERS: Final = 100
RECENT: Final = 14.0
LATELY: Final = 4.0
REMEMBERED: Final = 300_000
"""The latest sessions kept as neighbours."""
RULES: Final = ("forward", "recent", "backward", "together", "walk")


@dataclass(frozen=True)
class SessionStatistics:
    """Products × products unless said otherwise, the strongest FOLLOWERS of each row.

    `forward` sequential rules weighted 1/steps (Kamehkhosh et al. 2017), `recent` the same halved every RECENT days,
    `backward` what came before, `together` cosine of sessions, `walk` two steps on the graph of followers; `sessions`
    sessions × products (1 where looked at) with their weight `standing` (recency / √size); per product `looks`,
    `visits` (sessions), `lately` (looks halved every LATELY days) and `again` (share of next looks at the same).
    """

    forward: sparse.csr_array
    recent: sparse.csr_array
    backward: sparse.csr_array
    together: sparse.csr_array
    walk: sparse.csr_array
    sessions: sparse.csr_array
    standing: Floats
    looks: Floats
    visits: Floats
    lately: Floats
    again: Floats

    @classmethod
    def fit(cls, sessions: Sessions, products: int, now: float) -> Self:
        """Count; `now` in days since 1970-01-01 is when the sessions end."""
        product, session = sessions.product, sessions.session
        shape = (products, products)
        weight = recency(sessions.start, now, RECENT)[session]
        froms, tos, steps, news = [], [], [], []
        for step in range(1, STEPS + 1):
            at = np.flatnonzero(session[step:] == session[:-step])
            at = at[product[at] != product[at + step]]
            froms.append(product[at])
            tos.append(product[at + step])
            steps.append(np.full(len(at), 1.0 / step, np.float32))
            news.append(weight[at] / step)
        place = (np.concatenate(froms), np.concatenate(tos))
        forward = sparse.csr_array((np.concatenate(steps), place), shape=shape)
        recent = sparse.csr_array((np.concatenate(news).astype(np.float32), place), shape=shape)
        backward = forward.T.tocsr()
        seen = sparse.csr_array((np.ones(len(product), np.float32), (session, product)), (len(sessions), products))
        seen.sum_duplicates()
        seen.data[:] = 1.0
        size = np.asarray(seen.sum(axis=1), np.float32)
        visits = np.asarray(seen.sum(axis=0), np.float32)
        light = (1.0 / np.sqrt(np.maximum(size, 1.0))).astype(np.float32)
        lighter = scaled(seen, light)
        together = sparse.csr_array(lighter.T @ lighter)
        together.setdiag(0)
        together.eliminate_zeros()
        shrunken = 1.0 / np.sqrt(visits + 5.0)
        together = sparse.csr_array(scaled(together, shrunken) @ sparse.diags_array(shrunken))
        graph = top(shares(sparse.csr_array(forward + backward), 1.0), 30)
        kept = slice(max(0, len(sessions) - REMEMBERED), len(sessions))
        same = np.flatnonzero(session[1:] == session[:-1])
        again = np.bincount(product[same], weights=product[same] == product[same + 1], minlength=products)
        usual = again.sum() / max(len(same), 1)
        return cls(
            forward=top(shares(forward, 2.0), FOLLOWERS),
            recent=top(shares(recent, 1.0), FOLLOWERS),
            backward=top(shares(backward, 2.0), FOLLOWERS),
            together=top(together, FOLLOWERS),
            walk=top(sparse.csr_array(graph @ graph), FOLLOWERS),
            sessions=seen[kept],
            standing=(recency(sessions.start, now, 10 * LATELY) * light)[kept],
            looks=np.bincount(product, minlength=products).astype(np.float32),
            visits=visits,
            lately=np.bincount(product, recency(sessions.start, now, LATELY)[session], products).astype(np.float32),
            again=((again + 20 * usual) / (np.bincount(product[same], minlength=products) + 20)).astype(np.float32),
        )

    @cached_property
    def by_product(self) -> sparse.csr_array:
        """Products × sessions."""
        return self.sessions.T.tocsr()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Flat arrays that `of` puts together again."""
        flat: dict[str, NDArray[Any]] = {}
        for name in (field.name for field in fields(self)):
            part = getattr(self, name)
            if isinstance(part, np.ndarray):
                flat[name] = part
            else:
                flat[f"{name}.indptr"] = part.indptr.astype(np.int64)
                flat[f"{name}.indices"] = part.indices.astype(np.int32)
                flat[f"{name}.data"] = part.data.astype(np.float32)
        return flat

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """From flat arrays, mapped or not; nothing is copied."""
        products = len(arrays["looks"])
        parts: dict[str, Any] = {name: arrays[name] for name in ("standing", "looks", "visits", "lately", "again")}
        for name in (*RULES, "sessions"):
            indptr = arrays[f"{name}.indptr"]
            parts[name] = sparse.csr_array(
                (arrays[f"{name}.data"], arrays[f"{name}.indices"], indptr), shape=(len(indptr) - 1, products)
            )
        return cls(**parts)


def scaled(matrix: sparse.csr_array, factor: Floats) -> sparse.csr_array:
    """Each row times its factor."""
    data = matrix.data * np.repeat(factor, np.diff(matrix.indptr)).astype(np.float32)
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


def shares(matrix: sparse.csr_array, prior: float) -> sparse.csr_array:
    """Rows as shares of their sum plus a prior, so that rows with little behind them weigh less."""
    return scaled(matrix, 1.0 / (np.asarray(matrix.sum(axis=1), np.float32) + np.float32(prior)))


def top(matrix: sparse.csr_array, k: int) -> sparse.csr_array:
    """The k largest entries of every row, by column within the row; of equal ones the first."""
    matrix.sum_duplicates()
    row = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    edge = np.full(matrix.shape[0], -np.inf, matrix.dtype)
    for full in np.flatnonzero(np.diff(matrix.indptr) > k):
        values = matrix.data[matrix.indptr[full] : matrix.indptr[full + 1]]
        edge[full] = np.partition(values, len(values) - k)[len(values) - k]
    keep = matrix.data > edge[row]
    room = k - np.bincount(row[keep], minlength=matrix.shape[0])
    tied = np.flatnonzero(matrix.data == edge[row])
    place = np.arange(len(tied)) - np.searchsorted(row[tied], row[tied])
    keep[tied[place < room[row[tied]]]] = True
    kept = np.flatnonzero(keep)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[kept], minlength=matrix.shape[0]))])
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], indptr), shape=matrix.shape)
