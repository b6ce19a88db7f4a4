"""Customers: households, tastes, experience, loyalty of head and heart, and how often they come."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from journey.simulation import vocabulary
from journey.simulation.days import Days
from journey.simulation.laws import Laws
from journey.simulation.products import F, I
from journey.simulation.stores import Stores

B = NDArray[np.bool_]
TOUCHPOINTS = ("store", "app", "delivery", "web", "call")
TIERS = ("regular", "silver", "gold", "platinum")


@dataclass
class People:
    """Persons 0 … n-1; the first ``members`` are registered customers, the rest use a card nobody registered."""

    n: int
    members: int
    ids: list[str]
    surname: I
    given: I
    female: B
    birth_year: I
    home: I  # store
    second: I  # store visited now and then
    joined: I  # day number
    one_time: B
    profiling: B
    contact: B
    has_card: B
    has_app: B
    has_ec: B
    has_web: B
    needs: dict[str, B]
    taste: F  # (n, D), unit length
    experience: F  # (n, touchpoints), standard normal
    heart: F  # standard normal
    head: F
    rate: F  # occasions a day
    p_churn: F
    lives: I  # occasions until the person leaves
    holdout: B
    group: I  # (n, 3 kinds) number of the uplift group
    payer: I  # whose card is used at the till: the person's own number, or the spouse's


def make_people(n: int, days: Days, stores: Stores, laws: Laws, rng: np.random.Generator) -> People:
    """Draws ``n`` customers and a few ghosts whose cards were never registered."""
    members, n = n, n + round(n * laws.ghost_card_share)
    ids = [f"C{i + 1:07d}" for i in range(members)] + [f"ghost{i + 1:06d}" for i in range(n - members)]
    female = rng.random(n) < 0.64
    age = np.clip(rng.gamma(9, 5.4, n), 17, 92).astype(np.int64)
    taste = rng.normal(0, 1, (n, laws.taste_dimensions))
    taste /= np.linalg.norm(taste, axis=1, keepdims=True)
    common = rng.normal(0, 1, (n, 1))
    share = laws.touchpoint_common
    experience = np.sqrt(share) * common + np.sqrt(1 - share) * rng.normal(0, 1, (n, len(TOUCHPOINTS)))
    heart = attitude("heart", experience, laws, rng)
    head = attitude("head", experience, laws, rng)
    one_time = rng.random(n) < laws.one_time_share
    joins = (rng.random(n) < laws.joining_share) | one_time
    joined = np.where(joins, rng.integers(0, days.n, n), -rng.integers(20, 3000, n))
    rate = rng.gamma(laws.visit_rate_shape, 1 / (laws.visit_rate_shape * laws.visit_gap_days), n)
    rate = np.clip(rate * np.exp(laws.heart_on_rate * heart), 1 / 150, 0.5)
    a = laws.churn_mean * laws.churn_concentration
    p = np.clip(rng.beta(a, laws.churn_concentration - a, n), 1e-4, 0.9)
    p_churn = 1 / (1 + (1 - p) / p * np.exp(-laws.heart_on_churn * heart))
    lives = np.where(one_time, 1, rng.geometric(np.clip(p_churn, 1e-4, 1)))
    home = rng.choice(stores.n, n, p=stores.size)
    young = age < 55
    has_card = rng.random(n) < laws.card_share
    has_app = (rng.random(n) < laws.app_share * np.where(young, 1.2, 0.65)) | ~has_card
    has_ec = rng.random(n) < laws.ec_share * np.where(young, 1.2, 0.6)
    has_web = has_ec | (rng.random(n) < laws.web_share * np.where(young, 1.15, 0.6))
    ghost = np.arange(n) >= members
    has_card |= ghost
    has_app &= ~ghost
    has_ec &= ~ghost
    has_web &= ~ghost
    dog, cat = rng.random(n) < 0.11, rng.random(n) < 0.10
    needs = {
        "any": np.ones(n, dtype=np.bool_),
        "woman": female & (age < 75),
        "man": ~female | (rng.random(n) < 0.25),
        "senior": age >= 55,
        "adult": age >= 20,
        "baby": (age >= 22) & (age < 45) & (rng.random(n) < 0.20),
        "dog": dog,
        "cat": cat,
        "pet": dog | cat,
        "smoker": (age >= 20) & (rng.random(n) < 0.12),
    }
    given = _given_names(female, days.start.year - age, rng)
    surnames = len(vocabulary.rows("surnames"))
    weight = 1 / (np.arange(surnames) + 12.0)
    holdout = np.array([int(hashlib.sha256(i.encode()).hexdigest()[:8], 16) % 1000 for i in ids]) < round(
        laws.holdout_share * 1000
    )
    payer = np.arange(n)
    spouses = np.flatnonzero((rng.random(n) < laws.shared_card_share) & has_app & ~ghost)
    hosts = rng.permutation(np.flatnonzero(has_card & ~ghost & ~np.isin(np.arange(n), spouses)))[: len(spouses)]
    payer[spouses[: len(hosts)]] = hosts
    home[spouses[: len(hosts)]] = home[hosts]
    surname = rng.choice(surnames, n, p=weight / weight.sum())
    surname[spouses[: len(hosts)]] = surname[hosts]
    return People(
        n=n, members=members, ids=ids, surname=surname, given=given, female=female, birth_year=days.start.year - age,
        home=home, second=(home + rng.integers(1, max(2, stores.n), n)) % stores.n, joined=joined, one_time=one_time,
        profiling=rng.random(n) >= laws.refuse_profiling, contact=rng.random(n) < laws.consent_contact,
        has_card=has_card, has_app=has_app, has_ec=has_ec, has_web=has_web, needs=needs, taste=taste,
        experience=experience, heart=heart, head=head, rate=rate, p_churn=p_churn, lives=lives, holdout=holdout,
        group=rng.choice(4, (n, 3), p=[g[1] for g in laws.uplift_groups]), payer=payer,
    )  # fmt: skip


def _given_names(female: B, birth_year: I, rng: np.random.Generator) -> I:
    """Numbers of given names that fit gender and year of birth; a sixth have a name of another time."""
    names = vocabulary.rows("given_names")
    gender = np.array([row["gender"] == "female" for row in names])
    era = np.array([("old", "middle", "young").index(row["era"]) for row in names])
    own = np.digitize(birth_year, [1966, 1991])
    own = np.where(rng.random(len(own)) < 1 / 6, 1, own)
    given = np.zeros(len(own), dtype=np.int64)
    for woman in (False, True):
        for time in range(3):
            mine = (female == woman) & (own == time)
            given[mine] = rng.choice(np.flatnonzero((gender == woman) & (era == time)), mine.sum())
    return given


def attitude(name: str, experience: F, laws: Laws, rng: np.random.Generator) -> F:
    """Heart, head, overall or nps: the weighted touchpoints plus noise, scaled to unit variance; shape (n,)."""
    weights = np.array([laws.drivers[name][t] for t in TOUCHPOINTS])
    explained = experience @ weights
    sd = np.sqrt(weights @ touchpoint_correlation(laws) @ weights)
    noise = laws.heart_head_noise
    felt = np.sqrt(1 - noise) * explained / sd + np.sqrt(noise) * rng.normal(0, 1, len(experience))
    return np.asarray(felt, dtype=np.float64)


def touchpoint_correlation(laws: Laws) -> F:
    """Correlation of the touchpoint experiences, shape (touchpoints, touchpoints)."""
    k = len(TOUCHPOINTS)
    return np.full((k, k), laws.touchpoint_common) + (1 - laws.touchpoint_common) * np.eye(k)


def loyalty(people: People) -> F:
    """One figure of loyalty, for response and tier: mostly heart, some head; shape (n,)."""
    return 0.7 * people.heart + 0.3 * people.head


def tier_of(people: People) -> I:
    """Tier 0 (regular) … 3 (platinum), by how much the person has come so far."""
    value = np.log(people.rate) + 0.25 * np.log1p(np.maximum(-people.joined, 0) / 365)
    cuts = np.quantile(value[: people.members], [0.55, 0.80, 0.94])
    tier = np.digitize(value, cuts)
    return np.where(people.joined >= 0, 0, tier).astype(np.int64)


def customers_table(people: People, days: Days, stores: Stores) -> pl.DataFrame:
    """The ``customers`` table of the extract; registered customers only."""
    surnames, given = vocabulary.rows("surnames"), vocabulary.rows("given_names")
    n = people.members
    tier = tier_of(people)
    pairs = list(zip(people.surname[:n], people.given[:n], strict=True))
    unknown_year = people.birth_year[:n] % 17 == 3
    return pl.DataFrame(
        {
            "customer_id": people.ids[:n],
            "name": [f"{surnames[s]['kanji']} {given[g]['kanji']}" for s, g in pairs],
            "kana": [f"{surnames[s]['kana']} {given[g]['kana']}" for s, g in pairs],
            "joined_on": [days.date_of(d).isoformat() for d in people.joined[:n]],
            "birth_year": [None if u else int(y) for u, y in zip(unknown_year, people.birth_year[:n], strict=True)],
            "gender": ["female" if f else "male" for f in people.female[:n]],
            "area": [stores.areas[s] for s in people.home[:n]],
            "tier": [TIERS[t] for t in tier[:n]],
            "consent_profiling": people.profiling[:n],
            "consent_contact": people.contact[:n],
        }
    )
