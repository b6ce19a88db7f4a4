"""Suggestions made ahead for everybody: ranked lists from fitted models, and batch recommendations from them."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from recommender.acceptance import Acceptance
from recommender.baskets import Floats, Ints, Longs
from recommender.calibration import Calibration
from recommender.candidates.pool import Candidates
from recommender.candidates.popular import SalesCalendar
from recommender.columns import CUSTOMER, EVIDENCE, PROBABILITY, PRODUCT, RANK, SCORE, SOURCE, SOURCES
from recommender.evidence import Witness
from recommender.features.matrix import Panel
from recommender.newcomers import Newcomers, with_newcomers
from recommender.plan import TrainingPlan
from recommender.proof import proven
from recommender.ranker import Ranker, summed
from recommender.selection import Choice
from recommender.trained import RankedLists, TrainedModel
from recommender.views import View

Kind = Literal["all", "repeat", "explore"]

KEEP = 120
KEEP_NEW = 70
PROVEN = 30
"""So many of the best, and of the best new ones, have their evidence tested: what is ever shown stands among them."""
COLD = 200
COLD_DAYS = 28
COLD_PRIOR = 200.0
STORE_PRIOR = 1000.0


@dataclass(frozen=True)
class Fitted:
    """Models and rankers fitted on the whole record, able to rank any of its customers."""

    panel: Panel
    rankers: dict[str, Ranker]
    choices: dict[str, Choice]
    probability: Ranker | None
    calibration: Calibration
    metrics: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    threads: int = 2
    plan: TrainingPlan | None = None

    def scores(self, kind: str, names: list[str], matrix: Floats, indptr: Longs) -> Floats:
        """One score per candidate for the list of `kind` (all or explore)."""
        choice = self.choices.get(kind)
        if choice is None:
            return unlearnt_scores(names, matrix)
        if choice.single is not None:
            return np.nan_to_num(matrix[:, names.index(f"score_{choice.single}")], nan=0.0)
        return self.rankers[kind].score(matrix, indptr)

    def stated(self, matrix: Floats) -> Floats:
        """What probabilities are read from, one figure per candidate; a ranker must have been learnt."""
        assert self.probability is not None
        return self.probability.raw(matrix)[0]

    def weighed(self, names: list[str], matrix: Floats, indptr: Longs) -> tuple[Floats, Floats | None]:
        """Scores for the list of everything, and `stated` (None: nothing learnt); each booster is asked once."""
        choice = self.choices.get("all")
        if self.probability is None or choice is None or choice.single is not None or not len(matrix):
            score = self.scores("all", names, matrix, indptr)
            return score, self.stated(matrix) if self.probability is not None and len(matrix) else None
        ranker = self.rankers["all"]
        raw = ranker.raw(matrix)
        (wanted,) = self.probability.boosters
        known = [values for booster, values in zip(ranker.boosters, raw, strict=True) if booster is wanted]
        return summed(raw, indptr), known[0] if known else self.stated(matrix)

    def probabilities(self, stated: Floats | None, score: Floats) -> Floats:
        """Calibrated chance of each candidate to be bought next time; a squashed score where nothing was learnt."""
        if stated is None:
            return np.asarray((0.1 * score / np.maximum(score.max(initial=0.0), 1e-9)).clip(0, 1), np.float32)
        return self.calibration(stated)


def unlearnt_scores(names: list[str], matrix: Floats) -> Floats:
    """What to rank by where too few customers came back for a ranker to be learnt.

    What was bought before in the order of its decayed frequency, hardly to be beaten on short histories, above what
    is new in the order of the linear item model, else of all models' ranks fused.
    """

    def column(name: str) -> Floats:
        return (
            np.nan_to_num(matrix[:, names.index(name)], nan=0.0) if name in names else np.zeros(len(matrix), np.float32)
        )

    new = column("score_ease") if "score_ease" in names else column("fused")
    new = new / max(float(np.abs(new).max(initial=0.0)), 1e-9)
    owned = column("score_repeat")
    owned = owned / max(float(owned.max(initial=0.0)), 1e-9)
    return np.where(owned > 0, 1.0 + owned + 1e-3 * new, new).astype(np.float32)


def order_within(score: Floats, row: Ints, chance: NDArray[np.float64]) -> NDArray[np.intp]:
    """Candidates by row, best first, equal scores by chance."""
    return np.lexsort((chance, -score, row))


def ranked_ahead(fitted: Fitted) -> RankedLists:
    """A row per customer; customers without purchases or web interest have that of a newcomer with their attributes,
    or an empty one.

    The list has the order of the ranker over everything; its places for new products are filled in the order of the
    ranker that knows new products only, so that both lists can be read from one.
    """
    view = fitted.panel.view
    known = view.counts > 0
    known[view.web.customer[view.web.customer >= 0]] = True
    customers = np.flatnonzero(known).astype(np.int32)
    random = np.random.default_rng(fitted.seed)
    witness = Witness(fitted.panel, fitted.rankers.get("all"))
    sizes = np.zeros(view.customers, np.int64)
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("product", "score", "probability", "is_new", "source", "evidence", "kind", "value")
    }
    for candidates, names, matrix in fitted.panel.blocks(customers, fitted.threads):
        block = _ranked_block(fitted, witness, candidates, names, matrix, random)
        sizes[candidates.customers] = block.pop("sizes")
        for name, values in block.items():
            parts[name].append(values)
    joined = {name: np.concatenate(values) if values else np.zeros(0) for name, values in parts.items()}
    lists = RankedLists(
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        product=joined["product"].astype(np.int32),
        score=joined["score"].astype(np.float32),
        probability=joined["probability"].astype(np.float32),
        is_new=joined["is_new"].astype(np.bool_),
        source=joined["source"].astype(np.uint8),
        evidence=joined["evidence"].astype(np.int32),
        evidence_kind=joined["kind"].astype(np.uint8),
        evidence_value=joined["value"].astype(np.float32),
    )
    return with_newcomers(lists, view, Newcomers.fit(view, cold_shares(view)[0]), fitted.seed)


def _ranked_block(
    fitted: Fitted,
    witness: Witness,
    candidates: Candidates,
    names: list[str],
    matrix: Floats,
    random: np.random.Generator,
) -> dict[str, NDArray[Any]]:
    row, indptr = candidates.row, candidates.indptr
    chance = random.random(len(candidates))
    score, stated = fitted.weighed(names, matrix, indptr)
    order = order_within(score, row, chance)
    fresh = np.flatnonzero(~candidates.owned)
    new_sizes = np.bincount(row[fresh], minlength=len(candidates.customers))
    new_indptr = np.concatenate([[0], np.cumsum(new_sizes)]).astype(np.int64)
    new_score = fitted.scores("explore", names, matrix[fresh], new_indptr)
    new_order = fresh[order_within(new_score, row[fresh], chance[fresh])]
    # the n-th place of a new product goes to the n-th of the new ones; scores stay with the places
    filled = order.copy()
    filled[~candidates.owned[order]] = new_order
    place = np.arange(len(order)) - indptr[row[order]]
    new_place = np.full(len(order), np.iinfo(np.int32).max, np.int64)
    new_place[~candidates.owned[filled]] = np.arange(len(fresh)) - new_indptr[row[new_order]]
    keep = (place < KEEP) | (new_place < KEEP_NEW)
    chosen = filled[keep]
    tested = np.zeros(len(candidates), np.bool_)
    tested[filled[(place < PROVEN) | (new_place < PROVEN)]] = True
    evidence = witness.explain(candidates)
    if stated is not None:
        evidence = proven(evidence, candidates, tested, names, matrix, fitted.stated, stated)
    return {
        "sizes": np.bincount(row[chosen], minlength=len(candidates.customers)),
        "product": candidates.product[chosen],
        "score": score[order][keep],
        "probability": fitted.probabilities(None if stated is None else stated[chosen], score[chosen]),
        "is_new": ~candidates.owned[chosen],
        "source": evidence.source[chosen],
        "evidence": evidence.product[chosen],
        "kind": evidence.kind[chosen],
        "value": evidence.value[chosen],
    }


def order_for(
    fitted: Fitted,
    candidates: Candidates,
    names: list[str],
    matrix: Floats,
    kind: Kind,
    k: int,
    random: np.random.Generator,
) -> Ints:
    """Customers × k products of the list of `kind`, best first, -1 beyond its end."""
    allowed = np.ones(len(candidates), np.bool_) if kind == "all" else candidates.owned == (kind == "repeat")
    chosen = np.flatnonzero(allowed)
    sizes = np.bincount(candidates.row[chosen], minlength=len(candidates.customers))
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    score = fitted.scores("explore" if kind == "explore" else "all", names, matrix[chosen], indptr)
    row = candidates.row[chosen]
    order = order_within(score, row, random.random(len(chosen)))
    place = np.arange(len(chosen)) - indptr[row[order]]
    table: Ints = np.full((len(candidates.customers), k), -1, np.int32)
    top = place < k
    table[row[order][top], place[top]] = candidates.product[chosen][order][top]
    return table


def cold_lists(fitted: Fitted) -> RankedLists:
    """Row 0 for whoever nothing is known of: what newcomers buy first; then one per store: what sold there lately,
    drawn towards what sold in the chain.

    Without till lines, what is looked at on the web.
    """
    view = fitted.panel.view
    shares = cold_shares(view)
    shares[0] = Newcomers.fit(view, shares[0]).shares
    width = min(COLD, view.products)
    chance = np.random.default_rng(fitted.seed).random(shares.shape) * 1e-9
    best = np.argsort(-(shares + chance), axis=1)[:, :width]
    share = np.take_along_axis(shares, best, axis=1)
    sizes = (share > 0).sum(axis=1)
    real = share > 0
    total = int(sizes.sum())
    return RankedLists(
        indptr=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        product=best[real].astype(np.int32),
        score=share[real].astype(np.float32),
        probability=np.minimum(share[real], 1.0).astype(np.float32),
        is_new=np.ones(total, np.bool_),
        source=np.full(total, SOURCES.index("popular"), np.uint8),
        evidence=np.full(total, -1, np.int32),
        evidence_kind=np.full(total, EVIDENCE.index("popular"), np.uint8),
        evidence_value=view.popularity[best[real]],
    )


def cold_shares(view: View) -> Floats:
    """(1 + stores) × products: expected share of baskets, the chain in row 0."""
    stores = len(view.dataset.store_ids)
    if not len(view.history) and not len(view.dataset.uncarded):
        seen = np.bincount(view.web.product, minlength=view.products).astype(np.float32)
        return np.tile((seen / max(len(view.web), 1)).astype(np.float32), (1 + stores, 1))
    store = np.concatenate([view.history.store, view.dataset.uncarded.store])
    day = np.concatenate([view.history.day, view.dataset.uncarded.day])
    last = int(day.max())
    baskets = view.all_baskets
    overall = view.popularity / len(store)
    recent_baskets = int((day > last - COLD_DAYS).sum())
    recent = SalesCalendar(view).window(np.array([last], np.int32), COLD_DAYS)[0]
    chain = (recent + COLD_PRIOR * overall) / (recent_baskets + COLD_PRIOR)
    shares = np.empty((1 + stores, view.products), np.float32)
    shares[0] = chain
    for number in range(stores):
        rows = np.flatnonzero((store == number) & (day > last - COLD_DAYS))
        counts = np.asarray(baskets[rows].sum(axis=0)).ravel()
        shares[1 + number] = (counts + STORE_PRIOR * chain) / (len(rows) + STORE_PRIOR)
    return shares


def rank(model: TrainedModel, customers: list[str], kind: Kind = "all", k: int = 20) -> pl.DataFrame:
    """Batch recommendations: customer_id, rank (1 best), product_id, score, probability, source.

    Customers whose list is short, without history or unknown get the chain's cold list below what they have;
    repeat lists are not filled up.
    """
    place = {name: number for number, name in enumerate(model.customer_ids)}
    ahead, cold = model.ahead, model.cold
    rows = np.array([place.get(name, -1) for name in customers], np.int64)
    begin = np.where(rows >= 0, ahead.indptr[rows], 0)
    length = np.where(rows >= 0, ahead.indptr[rows + 1] - begin, 0)
    owner = np.repeat(np.arange(len(customers)), length)
    offset = np.concatenate([[0], np.cumsum(length)])[:-1]
    entry = np.arange(int(length.sum())) - np.repeat(offset, length) + np.repeat(begin, length)
    if kind != "all":
        keep = ahead.is_new[entry] == (kind == "explore")
        own_owner, own = owner[keep], entry[keep]
    else:
        own_owner, own = owner, entry
    taken = np.bincount(own_owner, minlength=len(customers))
    starts = np.concatenate([[0], np.cumsum(taken)])[:-1]
    position = np.arange(len(own)) - starts[own_owner]
    top = position < k
    owners, positions, entries = [own_owner[top]], [position[top]], [own[top]]
    first = slice(int(cold.indptr[0]), int(cold.indptr[1]))
    if kind != "repeat":
        for number in np.flatnonzero(taken < k):
            have = ahead.product[entry[offset[number] : offset[number] + length[number]]]
            spare = np.flatnonzero(~np.isin(cold.product[first], have))[: k - taken[number]] + first.start
            owners.append(np.full(len(spare), number))
            positions.append(taken[number] + np.arange(len(spare)))
            entries.append(-1 - spare)  # entries of the cold lists are told apart by their sign
    owner, position, chosen = np.concatenate(owners), np.concatenate(positions), np.concatenate(entries)
    order = np.lexsort((position, owner))
    owner, position, chosen = owner[order], position[order], chosen[order]
    warm = chosen >= 0

    def column(name: str) -> NDArray[Any]:
        mine, others = getattr(ahead, name), getattr(cold, name)
        values = np.zeros(len(chosen), mine.dtype)
        values[warm], values[~warm] = mine[chosen[warm]], others[-1 - chosen[~warm]]
        return values

    source = column("source")
    acceptance = Acceptance.of(model.parameters.get("acceptance"))
    accepted = acceptance(column("probability"), column("is_new"), source == SOURCES.index("web"))
    return pl.DataFrame(
        {
            CUSTOMER: pl.Series(customers, dtype=pl.String).gather(owner),
            RANK: position + 1,
            PRODUCT: pl.Series(list(model.product_ids), dtype=pl.String).gather(column("product")),
            SCORE: column("score"),
            PROBABILITY: accepted.astype(np.float32),
            SOURCE: pl.Series(SOURCES, dtype=pl.String).gather(source),
        }
    )
