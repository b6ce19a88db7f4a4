"""The days of the chain in order: browsing, mails, coupons, baskets, suggestions; state carries over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from journey.simulation.baskets import Market, Pantry, fill, market, online
from journey.simulation.browsing import MAIL, VIEWS, WEB, Sessions, browse, wander
from journey.simulation.days import Days
from journey.simulation.floor import Clerks, Service
from journey.simulation.laws import Laws
from journey.simulation.occasions import STORE, Occasions
from journey.simulation.offers import Offers
from journey.simulation.people import People
from journey.simulation.products import I, Leaves, Products
from journey.simulation.proposals import Attended, ProposalLog, propose


@dataclass
class Sales:
    """Lines of the whole window: row of the occasion, product, session that led to it, what was seen there."""

    occasion: I
    product: I
    origin: I
    seen: I
    promoted: np.ndarray[tuple[int], np.dtype[np.bool_]]


@dataclass
class Mails:
    """Mails sent: day, person, featured product, opened or not."""

    day: I
    person: I
    product: I
    opened: np.ndarray[tuple[int], np.dtype[np.bool_]]


def run_days(
    days: Days, people: People, products: Products, leaves: Leaves, clerks: Clerks, occasions: Occasions,
    service: Service, offers: Offers, laws: Laws, rng: np.random.Generator, progress: Callable[[str, float], None],
) -> tuple[Sales, Sessions, ProposalLog, Mails]:  # fmt: skip
    """Lives through the window day by day."""
    pantry = Pantry(people, products, leaves, laws, rng)
    sessions, log = Sessions(), ProposalLog()
    parts: list[tuple[I, I, I, I, np.ndarray]] = []
    mails: list[tuple[int, I, int, np.ndarray]] = []
    bounds = np.searchsorted(occasions.day, np.arange(days.n + 1))
    seen_on_web = np.full((people.n, VIEWS), -1, dtype=np.int32)
    last_day = np.full(people.n, -1, dtype=np.int64)
    np.maximum.at(last_day, occasions.person[occasions.person >= 0], occasions.day[occasions.person >= 0])
    stays = np.bincount(occasions.person[occasions.person >= 0], minlength=people.n) < people.lives
    surfers = np.flatnonzero((people.has_web | people.has_app) & (np.arange(people.n) < people.members))
    promoted = np.zeros(len(products.ids), dtype=np.bool_)
    for day in range(days.n):
        if day % 7 == 0:
            promoted = rng.random(len(products.ids)) < laws.promotion_share
        today = market(products, leaves, day, promoted, laws)
        here = (people.joined <= day) & (stays | (last_day >= day))
        _web(
            day,
            surfers[here[surfers]],
            online(today, products),
            pantry,
            people,
            products,
            sessions,
            seen_on_web,
            mails,
            laws,
            rng,
        )
        person, product = offers.granted_on(day)
        hot = rng.random(len(person)) < laws.coupon_intent
        pantry.intend(person[hot], product[hot], np.full(hot.sum(), day + 21), np.full(hot.sum(), -1))
        rows = np.arange(bounds[day], bounds[day + 1])
        buyers = rows[occasions.buys[rows]]
        person = occasions.person[buyers]
        lines = fill(pantry, person, occasions.store[buyers], day, today, products, leaves, people, laws, rng)
        visit, product, origin, seen = lines.visit, lines.product, lines.origin, lines.seen
        attended = np.flatnonzero(
            (service.clerk[buyers] >= 0) & (occasions.channel[buyers] == STORE)
            & (person >= 0) & (person < people.members) & occasions.card[buyers]
            & people.profiling[person] & (people.payer[person] == person)
            & (pantry.history_at[person] > 0)
        )  # fmt: skip
        if len(attended) or day == 0:  # the first day gives the log its columns even where nobody is ever served
            row = buyers[attended]
            basket = np.sort(visit * np.int64(len(products.ids)) + product)
            who = Attended(
                attended, person[attended], occasions.store[row], service.clerk[row], service.began[row],
                service.seconds[row], service.congestion[row], seen_on_web[person[attended]].astype(np.int64),
            )  # fmt: skip
            more = propose(
                who, day, offers.focus_on(day), basket, today, pantry, people, products, leaves, clerks, log, laws, rng
            )
            log.frames[-1] = log.frames[-1].with_columns(visit=buyers[log.frames[-1]["visit"].to_numpy()])
            visit, product = np.concatenate([visit, more.visit]), np.concatenate([product, more.product])
            nothing = np.full(len(more.visit), -1)
            origin, seen = np.concatenate([origin, nothing]), np.concatenate([seen, nothing])
        known = np.flatnonzero(person[visit] >= 0)
        pantry.remember(person[visit[known]], product[known])
        parts.append((buyers[visit], product, origin, seen, promoted[product]))
        if day % 10 == 0:
            progress("days", day / days.n)
    columns = [np.concatenate(c) for c in zip(*parts, strict=True)]
    sent = [
        np.concatenate([np.full(len(p), d) for d, p, _, _ in mails] or [np.zeros(0, np.int64)]),
        np.concatenate([p for _, p, _, _ in mails] or [np.zeros(0, np.int64)]),
        np.concatenate([np.full(len(p), f) for _, p, f, _ in mails] or [np.zeros(0, np.int64)]),
        np.concatenate([o for _, _, _, o in mails] or [np.zeros(0, np.bool_)]),
    ]
    return Sales(*columns), sessions, log, Mails(*sent)


def _web(
    day: int, members: I, today: Market, pantry: Pantry, people: People, products: Products, sessions: Sessions,
    seen_on_web: np.ndarray, mails: list[tuple[int, I, int, np.ndarray]], laws: Laws, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Sessions of the day: by themselves, from a mail, and of visitors nobody knows."""
    surfers = members[rng.random(len(members)) < 1 / laws.web_gap_days]
    before = len(sessions.person)
    browse(surfers, WEB, -1, day, today, pantry, people, products, sessions, laws, rng)
    if day % laws.mail_every_days == 3:
        readers = members[people.contact[members]]
        feature = int(today.anything(1, rng)[0])
        opened = rng.random(len(readers)) < laws.mail_open * np.exp(0.25 * people.heart[readers])
        mails.append((day, readers, feature, opened))
        clicks = readers[opened & (rng.random(len(readers)) < laws.mail_open_to_session)]
        browse(clicks, MAIL, feature, day, today, pantry, people, products, sessions, laws, rng)
    for who, views in zip(sessions.person[before:], sessions.views[before:], strict=True):
        seen_on_web[who] = views
    wander(int(rng.poisson(len(surfers) * laws.anonymous_session_ratio)), day, today, products, sessions, rng)
