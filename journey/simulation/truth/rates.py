"""Truth of purchases: how often each product is in a customer's basket in the long run, from the law of baskets.

The law is that of ``baskets.fill`` and ``browsing.browse``, with its expectation taken instead of draws: needs,
favourites and taste as they stand at the window's end, season and assortment of its last day. What the retailer adds
(clerks' proposals, mails, coupons, the promotions of a week, magnets of a first visit) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.baskets import HISTORY, Market, Pantry, market
from journey.simulation.browsing import VIEWS
from journey.simulation.chain import Sales
from journey.simulation.days import Days, kind_factors
from journey.simulation.laws import Laws
from journey.simulation.occasions import Occasions
from journey.simulation.people import B, People
from journey.simulation.products import F, I, Leaves, Products

BEST = 50
BEST_NEW = 25
MOST_CUSTOMERS = 10_000
"""Rows a customer has, by either figure: the best, and the best never bought. Of more customers so many are picked."""

BLOCK = 500
ROUNDS = 2
"""Of familiarity feeding on itself; each leaves about a tenth of the error of the one before."""
DUE_DRAWS = 16
EARLY = 0.12  # share of the cycle before a need is due at which it is met
ELSEWHERE = 0.45  # of needs not met here


@dataclass(frozen=True)
class Shelves:
    """What becomes of a wish in each store, the EC shop last."""

    products: Products
    share: F  # (P,) of the leaf's demand today
    carried: B  # (stores + EC, P) and on sale
    instead: F  # (stores + EC, P) what is taken for a product of the leaf that is missing, sums to one in each leaf

    @classmethod
    def of(cls, today: Market, products: Products) -> Shelves:
        """Three looks within the leaf by today's weight, then its staple."""
        share = today.weight / np.add.reduceat(today.weight, products.start)[products.leaf]
        carried = products.carried & today.active
        found = np.add.reduceat(share * carried, products.start, axis=1)[:, products.leaf]
        never = (1 - found) ** 3
        staple = np.isin(np.arange(len(share)), products.staple)
        instead = (1 - never) * share * carried / np.maximum(found, 1e-12) + never * staple * carried
        return cls(products, share, carried, instead)

    def taken(self, wished: F, store: I) -> F:
        """(n, P) expected purchases of what is wished for, in one store a row."""
        there = self.carried[store]
        missing = np.add.reduceat(wished * ~there, self.products.start, axis=1)
        return np.asarray(wished * there + missing[:, self.products.leaf] * self.instead[store], dtype=np.float64)


def basket_rates(
    person: I, day: int, days: Days, pantry: Pantry, people: People, products: Products, leaves: Leaves, laws: Laws,
    rng: np.random.Generator,
) -> tuple[F, F]:  # fmt: skip
    """(n, P) twice: the share of each person's visits that have each product in the basket, and the chance that the
    next visit after ``day`` has it, given what is due, remembered and in mind then; ``day`` sets season and goods.

    ``rng`` only draws which need a person who browses thinks of first.
    """
    today = market(products, leaves, day, np.zeros(len(products.ids), dtype=np.bool_), laws)
    shelves = Shelves.of(today, products)
    pace = people.rate[person] * float((days.factor * kind_factors(laws)[days.kind]).mean())
    favourite = pantry.favourite[person].astype(np.int64)
    wanted, renewed, met = _needs(pantry, person, pace, day, leaves, laws)
    liked = _better_of_two(people.taste[person] @ products.taste.T, today)
    first_look = _first_look(pantry, person, favourite[:, :, 0], renewed, pace, liked, today, rng)
    browsed = _intended(person, pace, first_look, liked, shelves, people, laws)

    def filled(met: F, aside: F, familiar: F, known: F) -> F:
        """The baskets of needs, intentions and impulses, a part of these among the ``known`` that are familiar."""
        need = _products_of(met, favourite, shelves, laws)
        impulses = laws.impulse_mean + np.exp(-laws.impulse_mean) * np.prod(1 - met, axis=1)
        again = impulses * laws.impulse_familiar * known
        rest = aside + (impulses - again)[:, None] * liked + again[:, None] * familiar
        of_leaf = np.add.reduceat(need + rest, products.start, axis=1)
        extra, partner = np.zeros_like(of_leaf), leaves.complement
        extra[:, partner[partner >= 0]] = laws.complement_share * of_leaf[:, partner >= 0]
        rest = rest + extra[:, products.leaf] * shelves.share
        return _over_stores(need, rest, person, shelves, people, laws)

    whole = np.ones(len(person))
    settled = _products_of(met, favourite, shelves, laws) + browsed + liked
    for _ in range(ROUNDS):
        settled = filled(met, browsed, settled / settled.sum(axis=1, keepdims=True), whole)
    # the next visit comes on the day d or later with chance e^(-pace (d - tomorrow))
    begins = np.where(pantry.uses[person], np.ceil(pantry.due[person] - EARLY * pantry.cycle[person]), np.inf)
    due = np.exp(-pace[:, None] * np.maximum(begins - day - 1, 0))
    history = pantry.history[person]
    remembered = np.zeros_like(liked)
    row, slot = np.nonzero(history >= 0)
    np.add.at(remembered, (row, history[row, slot]), 1)
    number = remembered.sum(axis=1)
    familiar = remembered / np.maximum(number, 1)[:, None]
    minded = browsed + _minded(pantry, person, pace, day, shelves, laws)
    return settled, filled(wanted * due, minded, familiar, number / HISTORY)


def _products_of(met: F, favourite: I, shelves: Shelves, laws: Laws) -> F:
    """(n, P) what the needs that are met, (n, L), reach for: the favourite, the second, or any of the leaf."""
    first, second = laws.favourite_share
    need = (1 - first - second) * met[:, shelves.products.leaf] * shelves.share
    rows = np.arange(len(met))[:, None]
    np.add.at(need, (rows, favourite[:, :, 0]), first * met)
    np.add.at(need, (rows, favourite[:, :, 1]), second * met)
    return need


def _minded(pantry: Pantry, person: I, pace: F, day: int, shelves: Shelves, laws: Laws) -> F:
    """(n, P) wishes at the next visit after ``day`` that come from intentions a person has by then."""
    lasts = np.maximum(pantry.intent_until[person] - day, 0)
    row, slot = np.nonzero((pantry.intent[person] >= 0) & (lasts > 0))
    product = pantry.intent[person][row, slot]
    wished = np.zeros((len(person), len(shelves.share)))
    np.add.at(wished, (row, product), 1 - np.exp(-pace[row] * lasts[row, slot]))
    other = np.add.reduceat(wished, shelves.products.start, axis=1)[:, shelves.products.leaf] * shelves.share
    return np.asarray(laws.intent_same * wished + laws.intent_substitute * other, dtype=np.float64)


def _needs(pantry: Pantry, person: I, pace: F, day: int, leaves: Leaves, laws: Laws) -> tuple[F, F, F]:
    """(n, L) chances of a need: to be met, or renewed, at a visit where it is due; to be met at any visit.

    A renewal process in whole days: a gap, then days with visits at ``pace`` until one of them renews the need, here or
    elsewhere; every visit of that day finds it due.
    """
    wanted = np.clip(laws.buy_when_due * pantry.wallet[person][:, None] * leaves.demand[:, day], 0, 0.97)
    wanted = wanted * pantry.uses[person]
    renewed = wanted + ELSEWHERE * (1 - wanted)
    gap = pantry.cycle[person] * (np.exp(laws.cycle_noise**2 / 2) - EARLY)
    return wanted, renewed, wanted / (1 + (gap - 0.5) * (1 - np.exp(-pace[:, None] * renewed)))


def _better_of_two(match: F, today: Market) -> F:
    """(n, P) chance of each product to be the better by taste of two met by popularity."""
    weight = today.weight / today.cumulative[-1]
    order = np.argsort(match, axis=1)
    ordered = weight[order]
    chance = np.empty_like(match)
    np.put_along_axis(chance, order, ordered * (2 * np.cumsum(ordered, axis=1) - ordered), axis=1)
    return chance


def _first_look(
    pantry: Pantry, person: I, favourite: I, renewed: F, pace: F, liked: F, today: Market, rng: np.random.Generator
) -> F:
    """(n, P) what a session looks at first: the favourite of what runs out soonest, or what catches the eye."""
    n, k = favourite.shape
    uses = pantry.uses[person]
    cycle = pantry.cycle[person]
    gap = cycle * 0.92
    waits = 1 / (pace[:, None] * np.where(uses, renewed, 1.0))
    looked = np.zeros_like(liked)
    for _ in range(DUE_DRAWS):
        before = rng.random((n, k)) < gap / (gap + waits)
        ahead = rng.random((n, k)) * cycle
        due = np.where(before, ahead, EARLY * cycle - rng.exponential(1.0, (n, k)) * waits)
        due = np.where(uses, due + rng.exponential(12, (n, k)), np.inf)
        soon = favourite[np.arange(n), np.argmin(due, axis=1)]
        looked[np.arange(n), soon] += 0.45 / DUE_DRAWS * today.active[soon]
    return np.asarray(looked + (1 - looked.sum(axis=1, keepdims=True)) * liked, dtype=np.float64)


def _intended(person: I, pace: F, first_look: F, liked: F, shelves: Shelves, people: People, laws: Laws) -> F:
    """(n, P) wishes a visit that come from the sessions since the last one."""
    surfs = (people.has_web | people.has_app)[person] & (person < people.members)
    days = (1 - np.exp(-pace * laws.intent_days)) / pace  # between visits, as long as an intention lasts
    carried = surfs * days / laws.web_gap_days * laws.intent_share
    # the column of the product wanted: geometric, at most the last one looked at; their number is 1 + Poisson(1.6)
    number = 1.6 ** np.arange(VIEWS) / np.cumprod([1, 1, 2, 3, 4, 5]) * np.exp(-1.6)
    number[-1] = 1 - number[:-1].sum()
    more = 1 - np.cumsum(number)  # chance of more than 1, 2 … views
    column = np.array([0.6 * more[0] + number[0], 0.0, 0.0])
    column[1] = number[1] * 0.4 + more[1] * 0.4 * 0.6
    column[2] = 1 - column[0] - column[1]
    start, leaf = shelves.products.start, shelves.products.leaf
    kin = np.add.reduceat(first_look, start, axis=1)[:, leaf] * shelves.share
    wanted = column[0] * first_look + column[1] * 0.5 * (kin + liked) + column[2] * liked
    other = np.add.reduceat(wanted, start, axis=1)[:, leaf] * shelves.share
    return np.asarray(carried[:, None] * (laws.intent_same * wanted + laws.intent_substitute * other), dtype=np.float64)


def _over_stores(need: F, rest: F, person: I, shelves: Shelves, people: People, laws: Laws) -> F:
    """(n, P) chance of at least one, over the stores a person goes to; a need is met once, the rest is Poisson."""
    online = np.where(people.has_ec[person] & ~people.one_time[person], laws.ec_order_share, 0.0)
    places = (
        (people.home[person], 0.88 * (1 - online)),
        (people.second[person], 0.12 * (1 - online)),
        (np.full(len(person), len(shelves.carried) - 1), online),
    )
    rates = np.zeros_like(need)
    for store, share in places:
        met = np.minimum(shelves.taken(need, store), 1.0)
        rates += share[:, None] * (1 - (1 - met) * np.exp(-shelves.taken(rest, store)))
    return rates


def true_rates(
    days: Days, sales: Sales, occasions: Occasions, pantry: Pantry, people: People, products: Products, leaves: Leaves,
    laws: Laws, rng: np.random.Generator,
) -> pl.DataFrame:  # fmt: skip
    """Per registered customer the products most often in the basket, or likeliest to be in the next, best first.

    ``bought`` tells whether the person ever bought it in the window. Customers beyond ``MOST_CUSTOMERS`` are thinned.
    """
    chosen = np.unique(np.linspace(0, people.members - 1, min(people.members, MOST_CUSTOMERS)).astype(np.int64))
    goods = len(products.ids)
    buyer = occasions.person[sales.occasion]
    owned = np.unique(buyer[buyer >= 0] * np.int64(goods) + sales.product[buyer >= 0])
    frames = []
    for begin in range(0, len(chosen), BLOCK):
        person = chosen[begin : begin + BLOCK]
        rates, following = basket_rates(person, days.n - 1, days, pantry, people, products, leaves, laws, rng)
        order = np.argsort(-rates, axis=1, kind="stable")
        key = person[:, None] * np.int64(goods) + order
        at = np.minimum(np.searchsorted(owned, key), max(len(owned) - 1, 0))
        bought = owned[at] == key if len(owned) else np.zeros_like(key, dtype=np.bool_)
        kept = (np.arange(goods) < BEST) | (~bought & (np.cumsum(~bought, axis=1) <= BEST_NEW))
        second = np.take_along_axis(following, order, axis=1)
        kept |= -np.partition(-second, BEST, axis=1)[:, [BEST]] < second
        second = np.where(bought, 0.0, second)
        kept |= -np.partition(-second, BEST_NEW, axis=1)[:, [BEST_NEW]] < second
        row, place = np.nonzero(kept)
        product = order[row, place]
        frames.append(
            pl.DataFrame(
                {
                    "person": person[row],
                    "product": product,
                    "rate": rates[row, product],
                    "next": following[row, product],
                    "bought": bought[row, place],
                }
            )
        )
    table = pl.concat(frames)
    return table.select(
        pl.Series(people.ids).gather(table["person"]).alias("customer_id"),
        pl.Series(products.ids).gather(table["product"]).alias("product_id"),
        "rate",
        "next",
        "bought",
    )
