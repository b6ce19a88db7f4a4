"""Web and app sessions of persons: what they look at, and the intention that some of it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from journey.simulation.baskets import Market, Pantry
from journey.simulation.days import DAY_SECONDS
from journey.simulation.laws import Laws
from journey.simulation.people import People
from journey.simulation.products import F, I, Products

VIEWS = 6
WEB, MAIL, ORDER = 0, 1, 2  # what started a session


@dataclass
class Sessions:
    """Sessions gathered day by day; the index of a row is the number of the session."""

    person: list[I] = field(default_factory=list)  # -1 for anonymous visitors
    second: list[I] = field(default_factory=list)
    views: list[I] = field(default_factory=list)  # (s, VIEWS) products, -1 where none
    wanted: list[I] = field(default_factory=list)  # column of the product wanted, or -1
    started_by: list[I] = field(default_factory=list)
    n: int = 0

    def add(self, person: I, second: I, views: I, wanted: I, started_by: int) -> I:
        """Adds sessions and returns their numbers."""
        for column, values in (
            (self.person, person), (self.second, second), (self.views, views), (self.wanted, wanted),
            (self.started_by, np.full(len(person), started_by)),
        ):  # fmt: skip
            column.append(values)
        numbers = np.arange(self.n, self.n + len(person))
        self.n += len(person)
        return numbers


def clock(n: int, day: int, rng: np.random.Generator) -> I:
    """Times of sessions after the stores have opened: some at lunch, mostly in the evening; seconds of the window."""
    hour = np.clip(rng.choice([12.5, 21.0], n, p=[0.28, 0.72]) + rng.normal(0, 1.4, n), 9.0, 23.6)
    return np.asarray(day * DAY_SECONDS + hour * 3600, dtype=np.int64)


def early_clock(n: int, day: int, rng: np.random.Generator) -> I:
    """Times of sessions that end before the stores open; seconds of the window."""
    return np.asarray(day * DAY_SECONDS + rng.uniform(6.0, 8.6, n) * 3600, dtype=np.int64)


def browse(
    person: I, second: I, started_by: int, feature: int, day: int, today: Market, pantry: Pantry, people: People,
    products: Products, sessions: Sessions, laws: Laws, rng: np.random.Generator,
) -> None:  # fmt: skip
    """One session for each given person, begun at ``second``; intentions last ``laws.intent_days``.

    ``feature`` is the product that a mail features (looked at first by who came from the mail), or -1.
    """
    n = len(person)
    if n == 0:
        return
    views = look(people.taste[person], today, products, rng)
    # a look at what runs out soon
    soon = np.argmin(pantry.due[person] + rng.exponential(12, (n, pantry.due.shape[1])), axis=1)
    favourite = pantry.favourite[person, soon, 0]
    regular = (rng.random(n) < 0.45) & today.active[favourite]
    views[:, 0] = np.where(regular, favourite, views[:, 0])
    if feature >= 0:
        views[:, 0] = feature
    # and at others of the same kind
    again = rng.random(n) < 0.5
    views[:, 1] = np.where(again, today.within(products.leaf[views[:, 0]], products, rng), views[:, 1])
    count = 1 + np.minimum(rng.poisson(1.6, n), VIEWS - 1)
    views[np.arange(VIEWS)[None, :] >= count[:, None]] = -1
    wants = rng.random(n) < laws.intent_share
    wanted = np.where(wants, np.minimum(rng.geometric(0.6, n) - 1, count - 1), -1)
    numbers = sessions.add(person, second, views, wanted, started_by)
    hot = np.flatnonzero(wants)
    pantry.intend(person[hot], views[hot, wanted[hot]], np.full(len(hot), day + laws.intent_days), numbers[hot])


def wander(n: int, day: int, today: Market, products: Products, sessions: Sessions, rng: np.random.Generator) -> None:
    """Sessions of visitors who are nobody we know."""
    views = today.anything((n, VIEWS), rng)
    count = 1 + np.minimum(rng.poisson(0.9, n), VIEWS - 1)
    views[np.arange(VIEWS)[None, :] >= count[:, None]] = -1
    sessions.add(np.full(n, -1), clock(n, day, rng), views, np.full(n, -1), WEB)


def look(taste: F, today: Market, products: Products, rng: np.random.Generator) -> I:
    """Products that catch the eye: the better of two popular ones by taste; shape (n, VIEWS)."""
    a, b = today.anything((2, len(taste), VIEWS), rng)
    gain = np.einsum("nd,nvd->nv", taste, products.taste[b] - products.taste[a])
    return np.asarray(np.where(gain > 0, b, a), dtype=np.int64)
