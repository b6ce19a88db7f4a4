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
from journey.simulation.people import B, People
from journey.simulation.products import F, I, Leaves, Products

KINDS = ("repeat", "explore", "focus")
REASONS = ("repeat_due", "web_view", "goes_with", "popular", "similar_taste", "focus")
RESULTS = ("bought", "considering", "declined", "not_proposed")
POOL = (8, 6, 4, 3)  # own history, taste, focus, popular; and up to four of those looked at on the web
POOL_WEB = 4
SLEEPING = 3  # the uplift group whom a proposal puts off
LISTEN_NEEDS = 80  # seconds of service below which there is no time to listen first


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


def _pool(
    who: Attended, focus: I, today: Market, pantry: Pantry, people: People, products: Products, rng: np.random.Generator
) -> I:  # fmt: skip
    """(n, 25) candidate products, -1 where invalid; no product twice."""
    person, store, viewed = who.person, who.store, who.viewed
    n = len(person)
    own = np.take_along_axis(pantry.history[person], np.argsort(rng.random((n, HISTORY)), axis=1)[:, : POOL[0]], 1)
    draws = today.anything((3, n, POOL[1]), rng)
    gain = np.einsum("nd,cnkd->cnk", people.taste[person], products.taste[draws])
    taste = np.take_along_axis(draws, gain.argmax(axis=0)[None], 0)[0]
    pushed = rng.choice(focus, (n, POOL[2])) if len(focus) else today.anything((n, POOL[2]), rng)
    pool = np.concatenate([own, taste, pushed, today.anything((n, POOL[3]), rng), viewed[:, :POOL_WEB]], axis=1).astype(
        np.int64
    )
    valid = (pool >= 0) & today.active[pool] & products.offered[pool] & products.carried[store[:, None], pool]
    pool = np.where(valid, pool, -1)
    order = np.argsort(pool, axis=1, kind="stable")
    ordered = np.take_along_axis(pool, order, 1)
    twice = np.zeros_like(valid)
    np.put_along_axis(twice, order[:, 1:], ordered[:, 1:] == ordered[:, :-1], 1)
    return np.where(twice, -1, pool)


@dataclass(frozen=True)
class Attended:
    """The day's customers at the floor who may see suggestions, one row each."""

    visit: I  # row of the visit in the day
    person: I
    store: I
    clerk: I
    began: I
    seconds: I
    congestion: F
    viewed: I  # (n, m) products recently seen on the web, -1 where none


@dataclass(frozen=True)
class Screen:
    """What is on each screen, (n, k), and how the clerk handles it."""

    product: I
    real: B  # False where the pool was smaller than the screen
    propensity: F
    kind: I
    reason: I
    was_viewed: B
    in_basket: B
    proposes: B
    turn: I  # place of a proposal in the service
    listens: B  # (n,)
    familiar: B  # (n,)
    few: B  # (n,)
    in_rank: B  # (n,)
    practice: F  # log odds that practices add


def propose(
    who: Attended, day: int, focus: I, basket: I, today: Market, pantry: Pantry, people: People, products: Products,
    leaves: Leaves, clerks: Clerks, log: ProposalLog, laws: Laws, rng: np.random.Generator,
) -> Additions:  # fmt: skip
    """Suggestions for the day's attended customers, and what they come to.

    ``basket`` holds the sorted keys ``visit * P + product`` of what is in the baskets already.
    """
    screen = _screen(who, focus, basket, today, pantry, people, products, clerks, laws, rng)
    n, k = screen.product.shape
    product, leaf, kind = screen.product, products.leaf[screen.product], screen.kind
    person, by = who.person[:, None], np.maximum(who.clerk, 0)[:, None]
    group = people.group[person, kind]
    match = np.einsum("nd,nkd->nk", people.taste[who.person], products.taste[product]) * np.sqrt(laws.taste_dimensions)
    base = np.array(laws.accept_base)[kind] + laws.taste_on_accept * match + laws.heart_on_accept * people.heart[person]
    base = base + laws.congestion_on_accept * np.minimum(who.congestion[:, None], 3)
    base = base + laws.viewed_on_accept * screen.was_viewed + np.array([g[2] for g in laws.uplift_groups])[group]
    skill = clerks.skill[by] + clerks.strength[by, leaves.top[leaf]]
    accept = 1 / (1 + np.exp(-(base + skill + screen.practice)))
    unasked = np.array([g[3] for g in laws.uplift_groups])[group]
    alone = screen.in_basket | (rng.random((n, k)) < unasked)  # bought whether or not anybody asks
    holdout = people.holdout[who.person][:, None]
    proposes = screen.proposes & ~holdout
    spoilt = (group == SLEEPING) & proposes & alone & ~screen.in_basket & (rng.random((n, k)) < laws.sleeping_dog_loss)
    yes = proposes & (rng.random((n, k)) < accept)
    buys = screen.real & np.where(holdout, alone, (alone & ~spoilt) | (yes & ~spoilt))
    on_till = buys & (screen.in_basket | (rng.random((n, k)) >= laws.tap_without_till))
    result = np.where(rng.random((n, k)) < laws.considering_share, 1, 2)
    result = np.where(proposes, np.where(buys, 0, result), 3)
    taps = rng.random((n, k)) < clerks.diligence[by] * np.where(proposes, 1.0, laws.not_proposed_tapped)
    everyone = np.broadcast_to(person, (n, k))
    thinks = (result == 1) & (rng.random((n, k)) < laws.considering_intent)
    pantry.intend(everyone[thinks], product[thinks], np.full(thinks.sum(), day + 7), np.full(thinks.sum(), -1))
    won = yes & on_till & (rng.random((n, k)) < laws.adopt_share)
    pantry.adopt(everyone[won], product[won], leaf[won], day)
    score = np.log1p(today.weight[product] / today.weight.mean())
    columns = {
        "person": person, "store": who.store[:, None], "clerk": np.where(holdout, -1, who.clerk[:, None]),
        "shown": who.began[:, None], "product": product, "rank": np.arange(1, k + 1)[None, :],
        "score": np.round(score, 4), "propensity": screen.propensity, "holdout": holdout, "reason": screen.reason,
        "kind": kind, "proposed": proposes, "result": result, "tapped": taps & ~holdout,
        "at": who.began[:, None] + _tapped_at(who, screen, rng), "p_accept": np.round(accept, 5), "base": base,
        "unasked": unasked, "bought_unasked": alone, "in_basket": screen.in_basket, "was_viewed": screen.was_viewed,
        "leads": proposes & (screen.turn == 0), "on_receipt": on_till,
        "group": group, "listen_first": screen.listens[:, None], "familiar_first": screen.familiar[:, None],
        "few": screen.few[:, None], "follows_rank": screen.in_rank[:, None],
        "congestion": np.round(who.congestion[:, None], 3), "seconds": who.seconds[:, None],
        "visit": who.visit[:, None],
    }  # fmt: skip
    log.frames.append(pl.DataFrame({c: np.broadcast_to(v, (n, k))[screen.real] for c, v in columns.items()}))
    new = on_till & ~screen.in_basket
    return Additions(np.broadcast_to(who.visit[:, None], (n, k))[new], product[new])


def _screen(
    who: Attended, focus: I, basket: I, today: Market, pantry: Pantry, people: People, products: Products,
    clerks: Clerks, laws: Laws, rng: np.random.Generator,
) -> Screen:  # fmt: skip
    """Fills the screens at random and lets the clerks choose what to propose, and in which order."""
    n, k = len(who.person), laws.suggestions_per_set
    pool = _pool(who, focus, today, pantry, people, products, rng)
    size = (pool >= 0).sum(axis=1)
    order = np.argsort(np.where(pool >= 0, rng.random(pool.shape), 2.0), axis=1)[:, :k]
    shown = np.take_along_axis(pool, order, 1)
    real = shown >= 0
    product = np.maximum(shown, 0)
    repeat = (pantry.history[who.person][:, None, :] == product[:, :, None]).any(axis=2)
    kind = np.where(repeat, 0, np.where(np.isin(product, focus), 2, 1))
    was_viewed = (who.viewed[:, None, :] == product[:, :, None]).any(axis=2)
    draw = rng.random((n, k))
    reason = np.select(
        [was_viewed & (draw < 0.7), kind == 2, kind == 0],
        [1, 5, np.where(draw < 0.75, 0, 3)],
        np.select([draw < 0.3, draw < 0.65], [3, 4], 2),
    )
    key = who.visit[:, None] * np.int64(len(products.ids)) + product
    in_basket = basket[np.minimum(np.searchsorted(basket, key), len(basket) - 1)] == key
    clerk = np.maximum(who.clerk, 0)
    uses = rng.random((n, len(PRACTICES))) < clerks.habit[clerk]
    listens = uses[:, 0] & (who.seconds > LISTEN_NEEDS)
    chance = clerks.proposes[clerk][:, None] * np.exp(-0.12 * who.congestion[:, None])
    chance = chance * np.where(in_basket, laws.propose_in_basket, 1.0)
    proposes = (rng.random((n, k)) < chance) & real
    turn = np.where(uses[:, [3]], np.arange(k)[None, :], rng.random((n, k)) * k)
    turn = np.where(uses[:, [1]] & (kind == 0), turn - 100, turn)
    turn = np.argsort(np.argsort(np.where(proposes, turn, 1e6), axis=1), axis=1)
    proposes &= ~(uses[:, [2]] & (turn >= 2))
    first = proposes & (turn == 0) & (kind == 0)
    familiar = first.any(axis=1)
    few = proposes.sum(axis=1) <= 2
    in_rank = (~proposes | (turn == np.cumsum(proposes, axis=1) - 1)).all(axis=1)
    odds = {name: float(np.log(ratio)) for name, ratio in laws.practice_odds.items()}
    practice = odds["listen_first"] * listens[:, None] + odds["few"] * few[:, None]
    practice = practice + odds["familiar_first"] * (familiar[:, None] & ~first & (kind > 0))
    practice = practice + odds["reason_web_view"] * (reason == 1) + odds["reason_popular"] * (reason == 3)
    propensity = np.broadcast_to(1.0 / np.maximum(size, 1)[:, None], (n, k))
    return Screen(
        product, real, propensity, kind, reason, was_viewed, in_basket & real, proposes, turn, listens, familiar, few,
        in_rank, practice,
    )  # fmt: skip


def _tapped_at(who: Attended, screen: Screen, rng: np.random.Generator) -> I:
    """Seconds from the start to each tap: early or after listening, the last proposal as the service ends."""
    n = len(who.seconds)
    listening = 60 + rng.random(n) * np.minimum(45, np.maximum(who.seconds - 75, 1))
    start = np.where(screen.listens, listening, np.minimum(8 + 40 * rng.random(n), 0.7 * who.seconds))
    step = (who.seconds - start) / np.maximum(screen.proposes.sum(axis=1) - 1, 1)
    proposed = start[:, None] + screen.turn * step[:, None]
    return np.where(screen.proposes, proposed, who.seconds[:, None] + 1 + screen.turn).astype(np.int64)
