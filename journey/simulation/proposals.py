"""Suggestions under a uniform random policy, what the clerk does with them, and what the customer answers.

A pool of candidates is drawn per service: bought before, near to the customer's taste, focus merchandise, popular.
Every place on the screen is filled uniformly from the pool without replacement, so the probability of a product at a
rank is 1 / pool size: that is the propensity in the log. Holdout customers get a log row with arm ``holdout``, no
clerk and no outcome: what would have been shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from journey.simulation.baskets import HISTORY, Market, Pantry
from journey.simulation.floor import PRACTICES, Clerks
from journey.simulation.laws import Laws
from journey.simulation.people import People
from journey.simulation.products import F, I, Leaves, Products

KINDS = ("repeat", "explore", "focus")
REASONS = ("repeat_due", "web_view", "goes_with", "popular", "similar_taste", "focus")
RESULTS = ("bought", "considering", "declined", "not_proposed")
POOL = (8, 6, 4, 3)  # own history, taste, focus, popular; and up to four of those looked at on the web
POOL_WEB = 4


@dataclass
class ProposalLog:
    """One frame of suggestion rows per day, with the truth beside each row."""

    frames: list[pl.DataFrame] = field(default_factory=list)

    def table(self) -> pl.DataFrame:
        """All rows."""
        return pl.concat(self.frames)


@dataclass
class Additions:
    """Lines that suggestions (or buying unasked) add to the day's baskets."""

    visit: I
    product: I


def _pool(person: I, store: I, focus: I, viewed: I, today: Market, pantry: Pantry, people: People, products: Products, rng: np.random.Generator) -> I:
    """(n, 25) candidate products, -1 where invalid; no product twice."""
    n = len(person)
    own = np.take_along_axis(pantry.history[person], np.argsort(rng.random((n, HISTORY)), axis=1)[:, : POOL[0]], 1)
    draws = today.anything((3, n, POOL[1]), rng)
    gain = np.einsum("nd,cnkd->cnk", people.taste[person], products.taste[draws])
    taste = np.take_along_axis(draws, gain.argmax(axis=0)[None], 0)[0]
    pushed = rng.choice(focus, (n, POOL[2])) if len(focus) else today.anything((n, POOL[2]), rng)
    pool = np.concatenate([own, taste, pushed, today.anything((n, POOL[3]), rng), viewed[:, :POOL_WEB]], axis=1).astype(np.int64)
    valid = (pool >= 0) & today.active[pool] & products.offered[pool] & products.carried[store[:, None], pool]
    pool = np.where(valid, pool, -1)
    order = np.argsort(pool, axis=1, kind="stable")
    ordered = np.take_along_axis(pool, order, 1)
    twice = np.zeros_like(valid)
    np.put_along_axis(twice, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], 1)
    return np.where(twice, -1, pool)


def propose(
    visit: I, person: I, store: I, clerk: I, began: I, seconds: I, congestion: F, focus: I, viewed: I,
    basket: np.ndarray[tuple[int], np.dtype[np.int64]], today: Market, pantry: Pantry, people: People,
    products: Products, leaves: Leaves, clerks: Clerks, log: ProposalLog, laws: Laws, rng: np.random.Generator,
) -> Additions:  # fmt: skip
    """Suggestions for the day's attended customers.

    ``visit`` is the day's visit row, ``viewed`` (n, m) the products recently seen on the web, ``basket`` the sorted
    keys ``visit * P + product`` of what is in the baskets already.
    """
    n, k = len(person), laws.suggestions_per_set
    pool = _pool(person, store, focus, viewed, today, pantry, people, products, rng)
    size = (pool >= 0).sum(axis=1)
    order = np.argsort(np.where(pool >= 0, rng.random(pool.shape), 2.0), axis=1)[:, :k]
    shown = np.take_along_axis(pool, order, 1)
    real = shown >= 0
    product = np.maximum(shown, 0)
    leaf = products.leaf[product]
    who, by = person[:, None], np.maximum(clerk, 0)[:, None]
    repeat = (pantry.history[person][:, None, :] == product[:, :, None]).any(axis=2)
    kind = np.where(repeat, 0, np.where(np.isin(product, focus), 2, 1))
    was_viewed = (viewed[:, None, :] == product[:, :, None]).any(axis=2)
    draw = rng.random((n, k))
    reason = np.select(
        [was_viewed & (draw < 0.7), kind == 2, kind == 0],
        [1, 5, np.where(draw < 0.75, 0, 3)],
        np.select([draw < 0.3, draw < 0.65], [3, 4], 2),
    )
    # practices of this service
    uses = rng.random((n, len(PRACTICES))) < clerks.habit[np.maximum(clerk, 0)]
    listens = uses[:, 0] & (seconds > 80)
    proposes = rng.random((n, k)) < clerks.proposes[by] * np.exp(-0.12 * congestion[:, None])
    turn = np.where(uses[:, [3]], np.arange(k)[None, :], rng.random((n, k)) * k)
    turn = np.where(uses[:, [1]] & (kind == 0), turn - 100, turn)
    turn = np.argsort(np.argsort(np.where(proposes & real, turn, 1e6), axis=1), axis=1)
    proposes &= real & ~(uses[:, [2]] & (turn >= 2))
    total = proposes.sum(axis=1)
    first = proposes & (turn == 0)
    familiar = (first & (kind == 0)).any(axis=1)
    few = total <= 2
    ordinal = np.cumsum(proposes, axis=1) - 1
    in_rank = (~proposes | (turn == ordinal)).all(axis=1)
    odds = laws.practice_odds
    practice = np.log(odds["listen_first"]) * listens[:, None] + np.log(odds["few"]) * few[:, None]
    practice = practice + np.log(odds["familiar_first"]) * (familiar[:, None] & ~(first & (kind == 0)) & (kind > 0))
    practice = practice + np.log(odds["reason_web_view"]) * (reason == 1) + np.log(odds["reason_popular"]) * (reason == 3)
    group = people.group[who, kind]
    shift = np.array([g[2] for g in laws.uplift_groups])[group]
    unasked = np.array([g[3] for g in laws.uplift_groups])[group]
    match = np.einsum("nd,nkd->nk", people.taste[person], products.taste[product]) * np.sqrt(laws.taste_dimensions)
    base = np.array(laws.accept_base)[kind] + laws.taste_on_accept * match + laws.heart_on_accept * people.heart[who]
    base = base + laws.congestion_on_accept * np.minimum(congestion[:, None], 3) + laws.viewed_on_accept * was_viewed + shift
    skill = clerks.skill[by] + clerks.strength[by, leaves.top[leaf]]
    accept = 1 / (1 + np.exp(-(base + skill + practice)))
    key = visit[:, None] * np.int64(len(products.ids)) + product
    at = np.minimum(np.searchsorted(basket, key), max(len(basket) - 1, 0))
    in_basket = basket[at] == key if len(basket) else np.zeros_like(real)
    alone = in_basket | (rng.random((n, k)) < unasked)  # bought whether or not anybody asks
    spoilt = (group == 3) & proposes & alone & ~in_basket & (rng.random((n, k)) < laws.sleeping_dog_loss)
    holdout = people.holdout[person][:, None]
    proposes = proposes & ~holdout
    yes = proposes & (rng.random((n, k)) < accept)
    buys = real & np.where(holdout, alone, (alone & ~spoilt) | yes)
    to_till = buys & (in_basket | (rng.random((n, k)) >= laws.tap_without_till))
    result = np.where(proposes, np.where(buys, 0, np.where(rng.random((n, k)) < laws.considering_share, 1, 2)), 3)
    taps = rng.random((n, k)) < clerks.diligence[by] * np.where(proposes, 1.0, laws.not_proposed_tapped)
    # when: the first proposal early or after listening, the rest spread over the service
    start = np.where(listens, 60 + rng.random(n) * np.minimum(45, np.maximum(seconds - 75, 1)), np.minimum(8 + 40 * rng.random(n), 0.7 * seconds))
    step = (seconds - start) / np.maximum(total - 1, 1)
    tapped = np.where(proposes, start[:, None] + turn * step[:, None], seconds[:, None] + 1 + turn)
    thinks = (result == 1) & (rng.random((n, k)) < laws.considering_intent)
    day = today_of(began)
    if thinks.any():
        pantry.intend(np.broadcast_to(who, (n, k))[thinks], product[thinks], np.full(thinks.sum(), day + 7), np.full(thinks.sum(), -1))
    won = yes & to_till & (rng.random((n, k)) < laws.adopt_share)
    if won.any():
        pantry.adopt(np.broadcast_to(who, (n, k))[won], product[won], leaf[won], day)

    def flat(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(values, (n, k))[real]

    score = np.log1p(today.weight[product] / today.weight.mean())
    log.frames.append(
        pl.DataFrame(
            {
                "person": flat(who), "store": flat(store[:, None]), "clerk": np.where(flat(holdout), -1, flat(clerk[:, None])),
                "shown": flat(began[:, None]), "product": flat(product), "rank": flat(np.arange(1, k + 1)[None, :]),
                "score": np.round(flat(score), 4), "propensity": flat(1.0 / np.maximum(size, 1)[:, None]),
                "holdout": flat(holdout), "reason": flat(reason), "kind": flat(kind), "proposed": flat(proposes),
                "result": flat(result), "tapped": flat(taps & ~holdout), "at": flat(began[:, None] + tapped.astype(np.int64)),
                "p_accept": np.round(flat(accept), 5), "base": flat(base), "unasked": flat(unasked), "bought_unasked": flat(alone),
                "on_receipt": flat(to_till), "group": flat(group), "listen_first": flat(listens[:, None]),
                "familiar_first": flat(familiar[:, None]), "few": flat(few[:, None]), "follows_rank": flat(in_rank[:, None]),
                "congestion": np.round(flat(congestion[:, None]), 3), "seconds": flat(seconds[:, None]),
                "visit": flat(visit[:, None]),
            }
        )
    )  # fmt: skip
    new = to_till & ~in_basket
    return Additions(np.broadcast_to(visit[:, None], (n, k))[new], product[new])


def today_of(seconds: I) -> int:
    """The day of a batch of seconds that all lie in one day."""
    return int(seconds[0] // 86_400) if len(seconds) else 0
