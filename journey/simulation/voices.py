"""Surveys: one-tap answers after visits and periodic sheets, from the experience and loyalty of who answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.comments import CHANGE_AT, add_comments
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.floor import Clerks, Service
from journey.simulation.laws import Laws
from journey.simulation.occasions import EC, STORE, Occasions
from journey.simulation.people import TOUCHPOINTS, B, People, attitude, loyalty
from journey.simulation.products import F, I, Products
from journey.simulation.stores import Stores

SURVEYS = (
    ("ONETAP-STORE", "ご来店後ワンタップアンケート", "one_tap", "store"),
    ("ONETAP-DELIVERY", "お届け後ワンタップアンケート", "one_tap", "delivery"),
    ("PERIODIC", "定期お客様アンケート", "periodic", None),
)


@dataclass(frozen=True)
class Voices:
    """Answers of the extract (times in seconds of the window) and the truth behind them."""

    answers: pl.DataFrame
    comments: pl.DataFrame
    invited: pl.DataFrame  # person, survey_id, asked_at (seconds of the window), answered


def _answers_at(n: int, share: float, who: I, people: People, laws: Laws, rng: np.random.Generator) -> B:
    logit = np.log(share / (1 - share)) + laws.heart_on_answer * loyalty(people)[who]
    return np.asarray(rng.random(n) < 1 / (1 + np.exp(-logit)), dtype=np.bool_)


def make_voices(
    occasions: Occasions, service: Service, people: People, clerks: Clerks, products: Products,
    stores: Stores, days: Days, laws: Laws, rng: np.random.Generator,
) -> Voices:  # fmt: skip
    """Asks, lets some answer, and writes their comments."""
    one_tap, invited = _one_tap(occasions, service, people, clerks, stores, days, laws, rng)
    periodic, invited_too = _periodic(occasions, people, stores, days, laws, rng)
    answers = pl.concat([one_tap, periodic], how="diagonal_relaxed")
    answers = answers.filter(pl.col("answered_at") < days.n * DAY_SECONDS)
    answers, comments = add_comments(answers, products, days, laws, rng)
    return Voices(answers, comments, pl.concat([invited, invited_too]))


def _invitation(person: I, survey: list[str], asked_at: I, answered: B) -> pl.DataFrame:
    return pl.DataFrame({"person": person, "survey_id": survey, "asked_at": asked_at, "answered": answered})


def _one_tap(
    occasions: Occasions, service: Service, people: People, clerks: Clerks, stores: Stores, days: Days, laws: Laws,
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    known = np.maximum(occasions.person, 0)
    reach = (
        (occasions.person >= 0)
        & occasions.card
        & (known < people.members)
        & (people.has_app | (people.contact & people.has_web))[known]
    )
    reach &= (occasions.channel == STORE) | (occasions.channel == EC)
    rows = np.flatnonzero(reach & (rng.random(len(occasions)) < laws.one_tap_asked))
    who = occasions.person[rows]
    told = _answers_at(len(rows), laws.one_tap_answer, who, people, laws, rng)
    delivery = occasions.channel[rows] == EC
    survey = np.where(delivery, "ONETAP-DELIVERY", "ONETAP-STORE")
    asked_at = occasions.paid[rows] + np.where(delivery, 3 * DAY_SECONDS, 1800)
    invited = _invitation(who, survey.tolist(), asked_at, told)
    survey, asked_at = survey[told], asked_at[told]
    rows, who, delivery = rows[told], who[told], delivery[told]
    felt = people.experience[who, np.where(delivery, TOUCHPOINTS.index("delivery"), TOUCHPOINTS.index("store"))]
    latent = 3.75 + 0.6 * felt + rng.normal(0, 0.55, len(rows))
    clerk = service.clerk[rows]
    latent += np.where(clerk >= 0, 0.25 + 0.35 * clerks.skill[np.maximum(clerk, 0)], 0)
    latent -= np.where(service.sought[rows], np.minimum(service.wait[rows] / 300, 1.5) * 0.5, 0)
    latent -= np.where(service.sought[rows] & (clerk < 0), 0.4, 0)
    planted = (occasions.store[rows] == laws.action_store % stores.n) & (occasions.day[rows] >= CHANGE_AT * days.n)
    latent += np.where(planted & ~delivery & (stores.n > 1), laws.action_effect, 0)
    table = pl.DataFrame(
        {
            "response_id": [f"T{i + 1:07d}" for i in range(len(rows))],
            "question": ["touchpoint"] * len(rows),
            "touchpoint": np.where(delivery, "delivery", "store"),
            "survey_id": survey,
            "customer_id": pl.Series(people.ids).gather(who),
            "store_id": pl.Series(stores.ids).gather(occasions.store[rows]),
            "asked_at": asked_at,
            "answered_at": asked_at + rng.exponential(3 * 3600, len(rows)).astype(np.int64) + 20,
            "score": np.clip(np.round(latent), 1, 5).astype(np.int64),
            "scale_min": np.full(len(rows), 1), "scale_max": np.full(len(rows), 5),
        }
    )  # fmt: skip
    return table, invited


def _periodic(
    occasions: Occasions, people: People, stores: Stores, days: Days, laws: Laws, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    overall, nps = attitude("overall", people.experience, laws, rng), attitude("nps", people.experience, laws, rng)
    first = np.full(people.n, 10**9)
    known = occasions.person >= 0
    np.minimum.at(first, occasions.person[known], occasions.day[known])
    called = rng.random(people.n) < 0.35
    used = {
        "store": np.ones(people.n, bool),
        "app": people.has_app,
        "web": people.has_web,
        "delivery": people.has_ec,
        "call": called,
    }
    frames, invited = [], []
    sheet = 0
    for day in range(min(20, days.n - 1), days.n, laws.periodic_every_days):
        reach = np.flatnonzero(
            (first < day)
            & (people.has_app | (people.contact & people.has_web))
            & (np.arange(people.n) < people.members)
        )
        reach = reach[rng.random(len(reach)) < laws.periodic_asked]
        who = reach[_answers_at(len(reach), laws.periodic_answer, reach, people, laws, rng)]
        told = np.isin(reach, who)
        invited.append(
            _invitation(reach, ["PERIODIC"] * len(reach), np.full(len(reach), day * DAY_SECONDS + 36_000), told)
        )
        k = len(who)
        asked_at = np.full(k, day * DAY_SECONDS + 10 * 3600)
        answered_at = asked_at + rng.exponential(1.5 * DAY_SECONDS, k).astype(np.int64) + 60
        response = [f"Q{sheet + i + 1:07d}" for i in range(k)]
        sheet += k

        def say(trait: F, mean: float, noise: float, lowest: int, size: int = k) -> I:
            return np.asarray(
                np.clip(np.round(mean + 1.7 * (trait + rng.normal(0, noise, size))), lowest, 10),
                np.int64,
            )

        heart, head = people.heart[who], people.head[who]
        questions: list[tuple[str, str | None, I, B | None]] = [
            ("overall", None, say(overall[who], 7.0, 0.3, 1), None),
            ("nps", None, say(nps[who], 7.2, 0.35, 0), None),
            ("rational_price", None, say(head, 6.6, 0.65, 1), None),
            ("rational_convenience", None, say(head, 6.9, 0.55, 1), None),
            ("rational_function", None, say(head, 6.8, 0.6, 1), None),
            ("emotional_trust", None, say(heart, 6.9, 0.5, 1), None),
            ("emotional_attachment", None, say(heart, 6.2, 0.55, 1), None),
            ("emotional_recommend", None, say(heart, 6.5, 0.6, 1), None),
            ("expectation", None, say(0.5 * head + 0.3 * heart, 6.9, 0.7, 1), None),
            ("return_intent", None, say(0.6 * heart + 0.25 * head, 7.3, 0.6, 1), None),
        ]
        for t, name in enumerate(TOUCHPOINTS):
            questions.append(("touchpoint", name, say(people.experience[who, t], 6.8, 0.3, 1), used[name][who]))
        for question, touchpoint, score, applies in questions:
            frame = pl.DataFrame(
                {
                    "response_id": response, "question": [question] * k,
                    "touchpoint": pl.Series([touchpoint] * k, dtype=pl.String), "survey_id": ["PERIODIC"] * k,
                    "customer_id": pl.Series(people.ids).gather(who),
                    "store_id": pl.Series(stores.ids).gather(people.home[who]),
                    "asked_at": asked_at, "answered_at": answered_at, "score": score,
                    "scale_min": np.full(k, 0 if question == "nps" else 1), "scale_max": np.full(k, 10),
                }
            )  # fmt: skip
            frames.append(frame if applies is None else frame.filter(pl.Series(applies)))
    table = pl.concat(frames).sort("response_id", maintain_order=True)
    return table, pl.concat(invited)
