"""Purchase occasions of persons and arrivals of everybody else: a Poisson process per quarter of an hour.

Persons come by BG/NBD: Poisson with a gamma rate, leaving with a fixed probability after each occasion. Whoever else
enters fills the door up to the store's law ``rate(kind of day, quarter) × factor(day)``; the sum of two independent
Poisson processes is Poisson, so the counters follow that law exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from journey.simulation.days import DAY_SECONDS, Days, kind_factors
from journey.simulation.laws import Laws
from journey.simulation.people import B, People
from journey.simulation.products import F, I
from journey.simulation.stores import QUARTERS, Stores

STORE, EC, APP = 0, 1, 2


@dataclass
class Occasions:
    """One row per purchase occasion or entrance, ordered by day; ``person`` is -1 for strangers."""

    person: I
    day: I
    second: I  # of the window, when the person enters (or starts the order)
    store: I
    channel: I
    paid: I  # second of the window when the receipt is printed
    left: I
    buys: B
    card: B  # the card (or account) is shown at the till

    def __len__(self) -> int:
        return len(self.person)


def make_occasions(
    people: People, days: Days, stores: Stores, laws: Laws, rng: np.random.Generator
) -> tuple[Occasions, F]:
    """All occasions of the window, and the door's base rates per store, kind of day and quarter, (n, 8, 96)."""
    factor = days.factor * kind_factors(laws)[days.kind]
    person, day = _visits(people, factor, laws, rng)
    k = len(person)
    draw = rng.random(k)
    ec = people.has_ec[person] & (draw < laws.ec_order_share) & ~people.one_time[person]
    app = people.has_app[person] & (draw > 1 - laws.app_order_share) & ~ec & ~people.one_time[person]
    channel = np.where(ec, EC, np.where(app, APP, STORE))
    away = rng.random(k) < 0.12
    store = np.where(away, people.second[person], people.home[person])
    # strangers at the door
    alive_rate = _expected(people, person, day, factor, laws, stores, days)
    members_per_factor = (alive_rate / factor).mean(axis=1)
    unc, forgot = laws.uncarded_share, laws.forgot_card
    strangers_buying = max(unc / (1 - unc) * (1 - forgot) - forgot, 0.02)
    scale = (1 + strangers_buying) / (1 - laws.browser_share)
    base = members_per_factor * scale
    rest = np.maximum(base[:, None] * factor - alive_rate, 0.05 * base[:, None] * factor)
    counts = rng.poisson(rest)
    s2, d2 = (a.ravel() for a in np.meshgrid(np.arange(stores.n), np.arange(days.n), indexing="ij"))
    stranger_store, stranger_day = np.repeat(s2, counts.ravel()), np.repeat(d2, counts.ravel())
    m = len(stranger_store)
    store = np.concatenate([np.where(channel == EC, stores.n, store), stranger_store])
    day = np.concatenate([day, stranger_day])
    person = np.concatenate([person, np.full(m, -1)])
    channel = np.concatenate([channel, np.zeros(m, dtype=np.int64)])
    buys = np.concatenate([np.ones(k, dtype=np.bool_), rng.random(m) < strangers_buying / (scale - 1)])
    second = day * DAY_SECONDS + _clock(store, day, channel, days, stores, rng)
    dwell = np.maximum(rng.lognormal(np.log(laws.dwell_minutes * 60) - 0.18, 0.6, len(day)), 120).astype(np.int64)
    dwell = np.where(channel == APP, dwell // 3, np.where(channel == EC, dwell // 2, dwell))
    midnight = (day + 1) * DAY_SECONDS
    left = np.minimum(second + dwell, np.where(channel == EC, midnight, midnight - 3600) - 30)
    left = np.maximum(left, second + 60)
    paid = np.maximum(left - rng.integers(20, 90, len(day)), second + 30)
    card = (person >= 0) & ((channel != STORE) | (rng.random(len(day)) >= laws.forgot_card))
    order = np.lexsort((second, day))
    rates = base[:, None, None] * kind_factors(laws)[None, :, None] * stores.profile
    return Occasions(
        person=person[order], day=day[order], second=second[order], store=store[order], channel=channel[order],
        paid=paid[order], left=left[order], buys=buys[order], card=card[order],
    ), rates  # fmt: skip


def _visits(people: People, factor: F, laws: Laws, rng: np.random.Generator) -> tuple[I, I]:
    """(person, day) of every occasion while the person is joined and has not left, ordered by person and day."""
    persons: list[I] = []
    dates: list[I] = []
    chunk = 50_000
    for first in range(0, people.n, chunk):
        block = slice(first, min(first + chunk, people.n))
        rate = np.where(people.one_time[block], 0.0, people.rate[block])
        counts = rng.poisson(rate[:, None] * factor[None, :])
        counts[np.arange(len(factor))[None, :] < people.joined[block, None]] = 0
        joins = np.flatnonzero(people.joined[block] >= 0)
        counts[joins, people.joined[block][joins]] = 1
        who, when = np.nonzero(counts)
        times = counts[who, when]
        persons.append(np.repeat(who, times) + first)
        dates.append(np.repeat(when, times))
    person, day = np.concatenate(persons), np.concatenate(dates)
    begins = np.searchsorted(person, np.arange(people.n))
    nth = np.arange(len(person)) - begins[person]
    stays = nth < people.lives[person]
    return person[stays], day[stays]


def _expected(people: People, person: I, day: I, factor: F, laws: Laws, stores: Stores, days: Days) -> F:
    """Expected persons at each door and day given who is still alive, shape (stores, days)."""
    last = np.full(people.n, days.n, dtype=np.int64)
    seen = np.bincount(person, minlength=people.n)
    gone = seen >= people.lives
    final = np.zeros(people.n, dtype=np.int64)
    np.maximum.at(final, person, day)
    last[gone] = final[gone]
    at_door = people.rate * (1 - np.where(people.has_ec, laws.ec_order_share, 0.0)) * ~people.one_time
    change = np.zeros((stores.n, days.n + 2))
    begins = np.maximum(people.joined + 1, 0)
    ends = np.maximum(last + 1, begins)
    for where, share in ((people.home, 0.88), (people.second, 0.12)):
        np.add.at(change, (where, begins), at_door * share)
        np.add.at(change, (where, ends), -at_door * share)
    steady = np.cumsum(change, axis=1)[:, : days.n] * factor
    joining = np.zeros((stores.n, 1))
    np.add.at(joining[:, 0], people.home[people.joined >= 0], 1.0)
    return np.asarray(steady + joining / days.n * factor / factor.mean(), dtype=np.float64)


def _clock(store: I, day: I, channel: I, days: Days, stores: Stores, rng: np.random.Generator) -> I:
    """Second of the day of each occasion: the door's profile, or the evening for the EC shop."""
    evening = np.exp(-0.5 * ((np.arange(QUARTERS) / 4 - 21.3) / 1.6) ** 2) + 0.35 * np.exp(
        -0.5 * ((np.arange(QUARTERS) / 4 - 12.5) / 2.5) ** 2
    )
    evening = (evening + 0.04) * (np.arange(QUARTERS) >= 36)  # nobody orders before nine
    profile = np.concatenate([stores.profile, np.broadcast_to(evening / evening.sum(), (1, 8, QUARTERS))])
    cumulative = np.cumsum(profile, axis=2).reshape(-1, QUARTERS)
    row = np.where(channel == EC, stores.n, store) * 8 + days.kind[day]
    u = rng.random(len(row)) * 0.999_999
    flat = (cumulative + np.arange(len(cumulative))[:, None]).ravel()
    quarter = np.searchsorted(flat, row + u * cumulative[row, -1], side="right") - row * QUARTERS
    return np.asarray(np.clip(quarter, 0, QUARTERS - 1) * 900 + rng.integers(0, 900, len(row)), dtype=np.int64)
