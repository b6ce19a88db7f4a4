"""What goes into a basket: needs that come due, favourites, impulses, complements and intentions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from journey.simulation.laws import Laws
from journey.simulation.people import B, People
from journey.simulation.products import F, I, Leaves, Products

HISTORY = 16
SLOTS = 4


@dataclass
class Market:
    """What is on sale on one day and how much each product is wanted then."""

    active: B  # (P,)
    weight: F  # (P,) popularity × season × promotion
    cumulative: F  # (P,)
    promoted: B  # (P,)

    def anything(self, size: int | tuple[int, ...], rng: np.random.Generator) -> I:
        """Products drawn by today's weight."""
        return self._at(rng.random(size) * self.cumulative[-1])

    def within(self, leaf: I, products: Products, rng: np.random.Generator) -> I:
        """One product of each given leaf, drawn by today's weight."""
        low = np.where(products.start[leaf] > 0, self.cumulative[products.start[leaf] - 1], 0.0)
        high = self.cumulative[products.stop[leaf] - 1]
        drawn = self._at(low + rng.random(len(leaf)) * (high - low))
        return np.clip(drawn, products.start[leaf], products.stop[leaf] - 1)

    def _at(self, u: F) -> I:
        drawn = np.searchsorted(self.cumulative, u, side="right")
        return np.asarray(np.minimum(drawn, len(self.cumulative) - 1), dtype=np.int64)


def market(products: Products, leaves: Leaves, day: int, promoted: B, laws: Laws) -> Market:
    """The market of one day."""
    active = (products.released <= day) & (products.discontinued > day)
    novelty = np.where((products.released >= 0) & (day - products.released < 28), 1.5, 1.0)
    weight = products.popularity * leaves.demand[products.leaf, day] * active * novelty
    weight = weight * np.where(promoted, laws.promotion_lift, 1.0)
    return Market(active, weight, np.cumsum(weight), promoted)


def online(today: Market, products: Products) -> Market:
    """The part of the market that the web shop shows: no tobacco."""
    weight = today.weight * products.carried[-1]
    return Market(today.active & products.carried[-1], weight, np.cumsum(weight), today.promoted)


class Pantry:
    """Each person's needs and memory: what they use, when it runs out, favourites, history and intentions."""

    def __init__(
        self, people: People, products: Products, leaves: Leaves, laws: Laws, rng: np.random.Generator
    ) -> None:
        n, k = people.n, len(leaves.name)
        concerned = np.stack([people.needs[need] for need in leaves.need], axis=1)
        centre = np.add.reduceat(products.taste, products.start) / (products.stop - products.start)[:, None]
        match = people.taste @ centre.T
        self.uses = concerned & (rng.random((n, k)) < np.clip(leaves.use * np.exp(0.8 * match), 0, 0.97))
        household = rng.choice([0.75, 1.0, 1.3], n, p=[0.25, 0.5, 0.25])
        self.cycle = (leaves.cycle * household[:, None] * rng.lognormal(0, 0.22, (n, k))).astype(np.float32)
        self.due = np.where(self.uses, rng.random((n, k)) * self.cycle, np.inf).astype(np.float32)
        whole = Market(np.ones(0, bool), products.popularity, np.cumsum(products.popularity), np.zeros(0, bool))
        leaf = np.tile(np.arange(k), n)
        who = np.repeat(np.arange(n), k)
        options = np.stack([whole.within(leaf, products, rng) for _ in range(4)])
        scores = np.stack([(people.taste[who] * products.taste[o]).sum(axis=1) for o in options])
        ranked = np.argsort(-scores[:3] - 0.25 * rng.gumbel(size=scores[:3].shape), axis=0)
        best = np.take_along_axis(options, ranked[:1], 0)[0]
        both = np.stack([best, options[3]])
        for attempt in range(4):  # favourites are found in the home store
            absent = ~products.carried[people.home[who], both]
            kinds = products.leaf[both[absent]]
            both[absent] = whole.within(kinds, products, rng) if attempt < 3 else products.staple[kinds]
        self.favourite = np.stack([both[0], both[1]], axis=-1).reshape(n, k, 2).astype(np.int32)
        self.history = np.full((n, HISTORY), -1, dtype=np.int32)
        self.history_at = np.zeros(n, dtype=np.int64)
        self.intent = np.full((n, SLOTS), -1, dtype=np.int32)  # product in mind
        self.intent_until = np.full((n, SLOTS), -1, dtype=np.int32)
        self.intent_origin = np.full((n, SLOTS), -1, dtype=np.int64)  # session number, or -1
        self.intent_at = np.zeros(n, dtype=np.int64)
        self.wallet = rng.beta(6, 3, n) * 1.5  # share of needs met at this chain, mean 1 as a factor

    def remember(self, person: I, product: I) -> None:
        """Adds bought products to the history rings; rows may repeat a person."""
        slot = _nth(person)
        at = (self.history_at[person] + slot) % HISTORY
        self.history[person, at] = product
        np.add.at(self.history_at, person, 1)

    def intend(self, person: I, product: I, until: I, origin: I) -> None:
        """Puts intentions in mind, forgetting the oldest; rows may repeat a person."""
        at = (self.intent_at[person] + _nth(person)) % SLOTS
        self.intent[person, at], self.intent_until[person, at] = product, until
        self.intent_origin[person, at] = origin
        np.add.at(self.intent_at, person, 1)

    def adopt(self, person: I, product: I, leaf: I, day: int) -> None:
        """A product that won somebody over becomes a favourite, and its kind a need."""
        self.favourite[person, leaf, 1] = product
        self.favourite[person, leaf, 0] = np.where(self.uses[person, leaf], self.favourite[person, leaf, 0], product)
        self.uses[person, leaf] = True
        self.due[person, leaf] = day + self.cycle[person, leaf]


def _nth(values: I) -> I:
    """How many equal values came before, per position."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    begins = np.r_[True, ordered[1:] != ordered[:-1]]
    first = np.maximum.accumulate(np.where(begins, np.arange(len(values)), 0))
    out = np.empty(len(values), dtype=np.int64)
    out[order] = np.arange(len(values)) - first
    return out


@dataclass
class Lines:
    """Lines of a day's baskets: the row of the visit in that day, product, session that led to it, what was seen."""

    visit: I
    product: I
    origin: I
    seen: I


def fill(
    pantry: Pantry, person: I, store: I, day: int, today: Market, products: Products, leaves: Leaves,
    people: People, laws: Laws, rng: np.random.Generator,
) -> Lines:  # fmt: skip
    """Baskets of the day's buying visits; ``person`` -1 buys by popularity alone. One row per (visit, product)."""
    v = len(person)
    known = np.flatnonzero(person >= 0)
    who = person[known]
    # needs that have come due
    due = pantry.due[who] <= day + 0.12 * pantry.cycle[who]
    row, leaf = np.nonzero(due)
    wanted = np.clip(laws.buy_when_due * pantry.wallet[who[row]] * leaves.demand[leaf, day], 0, 0.97)
    buys = rng.random(len(row)) < wanted
    owner = who[row]
    gap = pantry.cycle[owner, leaf] * rng.lognormal(0, laws.cycle_noise, len(row))
    elsewhere = ~buys & (rng.random(len(row)) < 0.45)
    renew = buys | elsewhere
    pantry.due[owner[renew], leaf[renew]] = day + gap[renew]
    row, leaf, owner = row[buys], leaf[buys], owner[buys]
    mood = rng.random(len(row))
    first, second = laws.favourite_share
    need = today.within(leaf, products, rng)
    need = np.where(mood < first + second, pantry.favourite[owner, leaf, 1], need)
    need = np.where(mood < first, pantry.favourite[owner, leaf, 0], need)
    # impulses, more of them for strangers, guided by taste where there is one
    count = rng.poisson(np.where(person >= 0, laws.impulse_mean, 0.0)) + np.where(person < 0, rng.geometric(0.30, v), 0)
    lonely = np.ones(v, dtype=np.bool_)
    lonely[known[row]] = False
    count = np.maximum(count, lonely)
    impulse_visit = np.repeat(np.arange(v), count)
    options = today.anything((2, len(impulse_visit)), rng)
    p = person[impulse_visit]
    better = (people.taste[p] * (products.taste[options[1]] - products.taste[options[0]])).sum(axis=1) > 0
    impulse = np.where(better & (p >= 0), options[1], options[0])
    old = pantry.history[p, rng.integers(0, HISTORY, len(p))]
    again = (p >= 0) & (old >= 0) & (rng.random(len(p)) < laws.impulse_familiar)
    impulse = np.where(again, old, impulse)
    drawn = (p >= 0) & (people.joined[p] == day) & (rng.random(len(p)) < laws.magnet_pull)
    impulse = np.where(drawn, rng.choice(products.magnets, len(p)), impulse)
    # intentions that browsing, mails and coupons have left
    slot_row, slot = np.nonzero((pantry.intent[who] >= 0) & (pantry.intent_until[who] >= day))
    chance = rng.random(len(slot_row))
    thought = who[slot_row]
    seen = pantry.intent[thought, slot].astype(np.int64)
    origin = pantry.intent_origin[thought, slot]
    pantry.intent[thought, slot] = -1
    taken = chance < laws.intent_same + laws.intent_substitute
    slot_row, seen, origin, chance = slot_row[taken], seen[taken], origin[taken], chance[taken]
    other = today.within(products.leaf[seen], products, rng)
    intended = np.where(chance < laws.intent_same, seen, other)
    visit = np.concatenate([known[slot_row], known[row], impulse_visit])
    product = np.concatenate([intended, need, impulse])
    origin = np.concatenate([origin, np.full(len(need) + len(impulse), -1)])
    seen = np.concatenate([seen, np.full(len(need) + len(impulse), -1)])
    # what goes with it, preferably of the same maker's neighbourhood
    partner = leaves.complement[products.leaf[product]]
    adds = (partner >= 0) & (rng.random(len(product)) < laws.complement_share)
    extra = today.within(partner[adds], products, rng)
    visit, product = np.concatenate([visit, visit[adds]]), np.concatenate([product, extra])
    origin, seen = np.concatenate([origin, np.full(len(extra), -1)]), np.concatenate([seen, np.full(len(extra), -1)])
    product = on_shelf(product, store[visit], today, products, rng)
    there = products.carried[store[visit], product]  # tobacco is not sold online
    visit, product, origin, seen = visit[there], product[there], origin[there], seen[there]
    keep = np.unique(visit * np.int64(len(products.ids)) + product, return_index=True)[1]
    return Lines(visit[keep], product[keep], origin[keep], seen[keep])


def on_shelf(product: I, store: I, today: Market, products: Products, rng: np.random.Generator) -> I:
    """Swaps what the store does not carry, or what is not on sale, for another of its kind."""
    product = product.astype(np.int64)
    for _ in range(3):
        missing = ~(today.active[product] & products.carried[store, product])
        if not missing.any():
            return product
        product[missing] = today.within(products.leaf[product[missing]], products, rng)
    missing = ~(today.active[product] & products.carried[store, product])
    product[missing] = products.staple[products.leaf[product[missing]]]
    return product


def quantities(product: I, products: Products, leaves: Leaves, rng: np.random.Generator) -> I:
    """Units per line: one and a Poisson number more, with the leaf's mean; shape as ``product``."""
    return np.asarray(1 + rng.poisson(0.8 * (leaves.multi[products.leaf[product]] - 1)), dtype=np.int64)
