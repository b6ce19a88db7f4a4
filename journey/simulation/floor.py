"""The floor: clerks with skills, their roster, and the queue for service (G/G/c with impatience)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from journey.simulation import vocabulary
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.laws import Laws
from journey.simulation.occasions import APP, EC, STORE, Occasions
from journey.simulation.products import F, I
from journey.simulation.stores import Stores

PRACTICES = ("listen_first", "familiar_first", "few", "follows_rank")
DUTIES = ("floor", "register", "back", "break")


@dataclass(frozen=True)
class Clerks:
    """Clerks 0 … n-1, ordered by store; the first of each store is its manager."""

    ids: list[str]
    store: I
    skill: F  # logit
    strength: F  # (n, top categories) logit
    habit: F  # (n, practices) probability of using each practice in a service
    diligence: F  # share of outcomes the clerk records
    proposes: F  # probability of proposing a suggestion
    hired: I
    left: I


@dataclass(frozen=True)
class Service:
    """What happened to each occasion at the floor; -1 or 0 where no service was sought."""

    sought: NDArray[np.bool_]
    clerk: I  # -1 where nobody attended
    wait: I  # seconds
    began: I  # second of the window
    seconds: I
    congestion: F  # people waiting or served per clerk on the floor, when joining


def make_clerks(per_store: I, tops: int, days: Days, laws: Laws, rng: np.random.Generator) -> Clerks:
    """Draws ``per_store[s]`` clerks for every store."""
    store = np.repeat(np.arange(len(per_store)), per_store)
    n = len(store)
    left = np.where(rng.random(n) < 0.04, rng.integers(days.n // 3, days.n, n), 10_000)
    left[np.searchsorted(store, np.arange(len(per_store)))] = 10_000
    return Clerks(
        [f"K{i + 1:04d}" for i in range(n)],
        store,
        rng.normal(0, laws.skill_sd, n),
        rng.normal(0, laws.strength_sd, (n, tops)),
        rng.beta(1.6, 2.0, (n, len(PRACTICES))),
        rng.beta(30, 1.5, n),
        np.clip(rng.normal(laws.propose_base, 0.10, n), 0.3, 0.9),
        -rng.integers(60, 4000, n),
        left,
    )


def clerks_table(clerks: Clerks, stores: Stores, days: Days, rng: np.random.Generator) -> pl.DataFrame:
    """The ``clerks`` table of the extract."""
    surnames, given = vocabulary.rows("surnames"), vocabulary.rows("given_names")
    n = len(clerks.ids)
    s, g = rng.integers(0, len(surnames), n), rng.integers(0, len(given), n)
    first = np.concatenate([[True], clerks.store[1:] != clerks.store[:-1]])
    return pl.DataFrame(
        {
            "clerk_id": clerks.ids,
            "store_id": [stores.ids[i] for i in clerks.store],
            "name": [f"{surnames[a]['kanji']} {given[b]['kanji']}" for a, b in zip(s, g, strict=True)],
            "role": ["manager" if f else "clerk" for f in first],
            "hired_on": [days.date_of(d).isoformat() for d in clerks.hired],
            "left_on": [days.date_of(d).isoformat() if d < days.n else None for d in clerks.left],
        }
    )


def make_roster(clerks: Clerks, days: Days, rng: np.random.Generator) -> pl.DataFrame:
    """Shift segments: clerk, store, day, begins, ends (seconds of the window), duty.

    Early and late shifts in turn; five days a week; part-timers prefer weekdays, so weekends run short.
    """
    n = len(clerks.ids)
    day = np.repeat(np.arange(days.n), n)
    who = np.tile(np.arange(n), days.n)
    weekday_person = np.arange(n) % 10 < 3  # part-timers who keep their weekends free
    rest = np.stack([rng.permutation(7) for _ in range(n)])
    rest_a = np.where(weekday_person, 6, rest[:, 0])
    rest_b = np.where(weekday_person, 5, rest[:, 1])
    works = (days.weekday[day] != rest_a[who]) & (days.weekday[day] != rest_b[who]) & (day < clerks.left[who])
    works &= rng.random(len(day)) > 0.02  # illness
    day, who = day[works], who[works]
    # within a store and day: every other one early, the rest late; within those every other one starts on the floor
    team = day * (int(clerks.store.max()) + 1) + clerks.store[who]
    turn = rng.random(len(who))
    order = np.lexsort((turn, team))
    place = np.empty(len(who), dtype=np.int64)
    begins_team = np.r_[True, team[order][1:] != team[order][:-1]]
    place[order] = np.arange(len(who)) - np.maximum.accumulate(np.where(begins_team, np.arange(len(who)), 0))
    late = (place + day) % 2 == 1
    register_first = place // 2 % 2 == 1
    # the two halves overlap on the floor, so that a break leaves nobody alone; the back room takes the quiet end
    begins = day * DAY_SECONDS + np.where(late, 13 * 3600 + 1800, 8 * 3600 + 2700)
    back = 2700
    work = begins + np.where(late, back, 0)
    pause = work + np.where(late, np.where(register_first, 8100, 13_500), np.where(register_first, 9900, 16_200))
    resume = pause + 3600
    leave = begins + np.where(late, 30_600, 27_900)
    duty = np.where(register_first, 1, 0)
    segments = [
        pl.DataFrame({"clerk": who, "day": day, "begins": a, "ends": b, "duty": d})
        for a, b, d in (
            (work, pause, duty),
            (pause, resume, np.full(len(who), 3)),
            (resume, leave, 1 - duty),
            (np.where(late, begins, leave), np.where(late, work, leave + back), np.full(len(who), 2)),
        )
    ]
    return (
        pl.concat(segments)
        .with_columns(store=pl.Series(clerks.store)[pl.concat(segments)["clerk"]])
        .sort("begins", "clerk")
    )


def serve(occasions: Occasions, clerks: Clerks, roster: pl.DataFrame, laws: Laws, rng: np.random.Generator) -> Service:
    """Runs the queue of each store, first come first served; who waits beyond their patience goes unserved."""
    n = len(occasions)
    walk_in = occasions.channel == STORE
    sought = walk_in & (rng.random(n) < laws.seeks_service)
    sigma = np.sqrt(np.log1p(laws.service_cv**2))
    seconds = np.maximum(rng.lognormal(np.log(laws.service_mean_seconds) - sigma**2 / 2, sigma, n), 5).astype(np.int64)
    patience = rng.exponential(laws.patience_mean_seconds, n).astype(np.int64)
    asks = occasions.second + (rng.beta(2, 4, n) * (occasions.paid - occasions.second)).astype(np.int64)
    clerk = np.full(n, -1, dtype=np.int64)
    wait, began, congestion = np.zeros(n, np.int64), asks.copy(), np.zeros(n)
    floor = roster.filter(pl.col("duty") == 0)
    for store in np.unique(clerks.store):
        mine = floor.filter(pl.col("store") == store)
        spans = list(zip(mine["begins"].to_list(), mine["ends"].to_list(), mine["clerk"].to_list(), strict=True))
        queue = np.flatnonzero(sought & (occasions.store == store))
        queue = queue[np.argsort(asks[queue], kind="stable")]
        _queue(queue, asks, seconds, patience, spans, clerk, wait, began, congestion)
    served = clerk >= 0
    # whoever is served (or waits) stays that much longer
    extra = np.where(served, wait + seconds, np.where(sought, wait, 0))
    occasions.paid = np.maximum(occasions.paid, np.where(sought, asks + extra + 45, 0))
    occasions.left = np.maximum(occasions.left, occasions.paid + 20)
    return Service(sought, clerk, wait, began, np.where(served, seconds, 0), congestion)


def _queue(
    queue: I, asks: I, seconds: I, patience: I, spans: list[tuple[int, int, int]],
    clerk: I, wait: I, began: I, congestion: F,
) -> None:  # fmt: skip
    """One store's queue in order of arrival; writes into the last four arrays."""
    free: dict[int, int] = {}
    active: list[tuple[int, int, int]] = []
    upcoming = 0
    busy: list[int] = []  # when those before are done, waiting or served
    for i in queue.tolist():
        now, limit = int(asks[i]), int(asks[i] + patience[i])
        while upcoming < len(spans) and spans[upcoming][0] <= limit:
            active.append(spans[upcoming])
            upcoming += 1
        active = [span for span in active if span[1] > now]
        busy = [end for end in busy if end > now]
        on_floor = sum(span[0] <= now for span in active)
        congestion[i] = len(busy) / max(on_floor, 1)
        best, best_start, idle_since = -1, limit + 1, 0
        for begins, ends, who in active:
            since = free.get(who, 0)
            start = max(now, begins, since)
            if start < ends and (start < best_start or (start == best_start and since < idle_since)):
                best, best_start, idle_since = who, start, since
        if best < 0 or best_start > limit:
            wait[i] = limit - now
            busy.append(limit)
            continue
        clerk[i], wait[i], began[i] = best, best_start - now, best_start
        free[best] = best_start + int(seconds[i])
        busy.append(free[best])


def shifts_table(roster: pl.DataFrame, clerks: Clerks, stores: Stores) -> pl.DataFrame:
    """The ``shifts`` table; times still in seconds of the window."""
    return roster.select(
        clerk_id=pl.Series(clerks.ids)[roster["clerk"]],
        store_id=pl.Series(stores.ids)[roster["store"]],
        starts_at="begins",
        ends_at="ends",
        duty=pl.Series(DUTIES)[roster["duty"]],
    )


def traffic_table(occasions: Occasions, days: Days, stores: Stores) -> pl.DataFrame:
    """The ``traffic`` table: entered and left per store and quarter hour, zeros within opening hours kept."""
    door = occasions.channel != EC
    buckets = days.n * 96
    where = occasions.store[door]
    entered = np.bincount(where * buckets + occasions.second[door] // 900, minlength=stores.n * buckets)
    gone = np.minimum(occasions.left[door] // 900, buckets - 1)
    left = np.bincount(where * buckets + gone, minlength=stores.n * buckets)
    key = np.arange(stores.n * buckets)
    quarter = key % 96
    keep = ((quarter >= 36) & (quarter < 92)) | (entered > 0) | (left > 0)
    return pl.DataFrame(
        {
            "store_id": pl.Series(stores.ids)[pl.Series(key[keep] // buckets)],
            "starts_at": (key[keep] % buckets) * 900,
            "minutes": np.full(keep.sum(), 15),
            "entered": entered[keep],
            "left": left[keep],
        }
    )


def clerks_needed(occasions: Occasions, days: Days, stores: Stores, laws: Laws) -> I:
    """Clerks a planner would hire per store for the average (not the busiest) hours, at least seven."""
    door = (occasions.channel != EC) & (occasions.channel != APP)
    per_second = np.bincount(occasions.store[door], minlength=stores.n)[: stores.n] / (days.n * 13 * 3600)
    load = per_second * laws.seeks_service * laws.service_mean_seconds
    return np.maximum(7, np.ceil(load / laws.load_per_floor_clerk * 4 * 7 / 5 / 1.2)).astype(np.int64)
