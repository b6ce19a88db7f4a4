"""The days of the chain in order: browsing, mails, coupons, baskets, suggestions; state carries over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from journey.simulation.baskets import Market, Pantry, fill, market, online
from journey.simulation.browsing import MAIL, VIEWS, WEB, Sessions, browse, clock, early_clock, wander
from journey.simulation.days import DAY_SECONDS, Days
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
    """Mails sent: when, to whom, the product featured, opened or not and when; times in seconds of the window."""

    sent: I
    person: I
    product: I
    opened: np.ndarray[tuple[int], np.dtype[np.bool_]]
    opened_at: I


def run_days(
    days: Days, people: People, products: Products, leaves: Leaves, clerks: Clerks, occasions: Occasions,
    service: Service, offers: Offers, laws: Laws, rng: np.random.Generator, progress: Callable[[str, float], None],
) -> tuple[Sales, Sessions, ProposalLog, Mails, Pantry]:  # fmt: skip
    """Lives through the window day by day; the pantry is as it stands at its end."""
    pantry = Pantry(people, products, leaves, laws, rng)
    sessions, log = Sessions(), ProposalLog()
    parts: list[tuple[I, I, I, I, np.ndarray]] = []
    mails: list[Mails] = []
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
        online_now, members = online(today, products), surfers[here[surfers]]
        # what is looked at before the stores open can be bought today; what is looked at later, from tomorrow
        early = members[rng.random(len(members)) < laws.early_share / laws.web_gap_days]
        browse(
            early, early_clock(len(early), day, rng), WEB, -1, day, online_now, pantry, people, products, sessions,
            laws, rng,
        )  # fmt: skip
        if len(early):
            seen_on_web[early] = sessions.views[-1]
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
        _later(day, members, online_now, pantry, people, products, sessions, seen_on_web, mails, laws, rng)
        person, product = offers.granted_on(day)
        hot = rng.random(len(person)) < laws.coupon_intent
        pantry.intend(person[hot], product[hot], np.full(hot.sum(), day + 21), np.full(hot.sum(), -1))
        if day % 10 == 0:
            progress("days", day / days.n)
    columns = [np.concatenate(c) for c in zip(*parts, strict=True)]
    return Sales(*columns), sessions, log, _gather(mails), pantry


def _later(
    day: int, members: I, today: Market, pantry: Pantry, people: People, products: Products, sessions: Sessions,
    seen_on_web: np.ndarray, mails: list[Mails], laws: Laws, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Sessions of the rest of the day: by themselves, from a mail, and of visitors nobody knows."""
    surfers = members[rng.random(len(members)) < (1 - laws.early_share) / laws.web_gap_days]
    before = len(sessions.person)
    begun = clock(len(surfers), day, rng)
    browse(surfers, begun, WEB, -1, day, today, pantry, people, products, sessions, laws, rng)
    if day % laws.mail_every_days == 3:
        readers = members[people.contact[members]]
        k = len(readers)
        feature = int(today.anything(1, rng)[0])
        sent = day * DAY_SECONDS + 7 * 3600 + rng.integers(0, 600, k)
        opened = rng.random(k) < laws.mail_open * np.exp(0.25 * people.heart[readers])
        # later than opening time, so that nothing is bought before it was seen
        opened_at = sent + 7800 + np.minimum(rng.exponential(5 * 3600, k).astype(np.int64), 14 * 3600)
        mails.append(Mails(sent, readers, np.full(k, feature), opened, opened_at))
        clicks = opened & (rng.random(k) < laws.mail_open_to_session)
        browse(
            readers[clicks], opened_at[clicks] + 20, MAIL, feature, day, today, pantry, people, products, sessions,
            laws, rng,
        )  # fmt: skip
    for who, views in zip(sessions.person[before:], sessions.views[before:], strict=True):
        seen_on_web[who] = views
    strangers = int(rng.poisson(len(surfers) * laws.anonymous_session_ratio))
    wander(strangers, day, today, products, sessions, rng)


def _gather(mails: list[Mails]) -> Mails:
    none = np.zeros(0, dtype=np.int64)
    nothing = Mails(none, none, none, np.zeros(0, dtype=np.bool_), none)
    every = [nothing, *mails]
    return Mails(
        np.concatenate([m.sent for m in every]),
        np.concatenate([m.person for m in every]),
        np.concatenate([m.product for m in every]),
        np.concatenate([m.opened for m in every]),
        np.concatenate([m.opened_at for m in every]),
    )
