"""Surveys: one-tap answers after visits and periodic sheets, from the experience and loyalty of who answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation import vocabulary
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.floor import Clerks, Service
from journey.simulation.laws import Laws
from journey.simulation.occasions import EC, STORE, Occasions
from journey.simulation.people import TOUCHPOINTS, B, People, attitude, loyalty
from journey.simulation.products import F, I, Leaves, Products
from journey.simulation.stores import Stores

SURVEYS = (
    ("ONETAP-STORE", "ご来店後ワンタップアンケート", "one_tap", "store"),
    ("ONETAP-DELIVERY", "お届け後ワンタップアンケート", "one_tap", "delivery"),
    ("PERIODIC", "定期お客様アンケート", "periodic", None),
)
CHANGE_AT = 0.6  # share of the window after which the app's update annoys and the planted actions start


@dataclass(frozen=True)
class Voices:
    """Answers of the extract (times in seconds of the window) and the truth behind them."""

    answers: pl.DataFrame
    comments: pl.DataFrame
    asked: pl.DataFrame


def _answers_at(n: int, share: float, who: I, people: People, laws: Laws, rng: np.random.Generator) -> B:
    logit = np.log(share / (1 - share)) + laws.heart_on_answer * loyalty(people)[who]
    return rng.random(n) < 1 / (1 + np.exp(-logit))


def make_voices(
    occasions: Occasions, service: Service, people: People, clerks: Clerks, leaves: Leaves, products: Products,
    stores: Stores, days: Days, laws: Laws, rng: np.random.Generator,
) -> Voices:  # fmt: skip
    """Asks, lets some answer, and writes their comments."""
    one_tap, asked = _one_tap(occasions, service, people, clerks, stores, days, laws, rng)
    periodic, asked_too = _periodic(occasions, people, stores, days, laws, rng)
    answers = pl.concat([one_tap, periodic], how="diagonal_relaxed")
    answers = answers.filter(pl.col("answered_at") < days.n * DAY_SECONDS)
    answers, comments = _comment(answers, leaves, products, days, laws, rng)
    return Voices(answers, comments, pl.concat([asked, asked_too]))


def _one_tap(
    occasions: Occasions, service: Service, people: People, clerks: Clerks, stores: Stores, days: Days, laws: Laws,
    rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    known = np.maximum(occasions.person, 0)
    reach = (occasions.person >= 0) & occasions.card & (known < people.members) & (people.has_app | people.contact)[known]
    reach &= (occasions.channel == STORE) | (occasions.channel == EC)
    rows = np.flatnonzero(reach & (rng.random(len(occasions)) < laws.one_tap_asked))
    who = occasions.person[rows]
    told = _answers_at(len(rows), laws.one_tap_answer, who, people, laws, rng)
    delivery = occasions.channel[rows] == EC
    asked_day = np.bincount(occasions.day[rows] * 2 + delivery, minlength=days.n * 2)
    answered_day = np.bincount((occasions.day[rows] * 2 + delivery)[told], minlength=days.n * 2)
    asked = pl.DataFrame(
        {
            "survey_id": [s for _ in range(days.n) for s in ("ONETAP-STORE", "ONETAP-DELIVERY")],
            "day": np.repeat(np.arange(days.n), 2), "asked": asked_day, "answered": answered_day,
        }
    )  # fmt: skip
    rows, who, delivery = rows[told], who[told], delivery[told]
    felt = people.experience[who, np.where(delivery, TOUCHPOINTS.index("delivery"), TOUCHPOINTS.index("store"))]
    latent = 3.75 + 0.6 * felt + rng.normal(0, 0.55, len(rows))
    clerk = service.clerk[rows]
    latent += np.where(clerk >= 0, 0.25 + 0.35 * clerks.skill[np.maximum(clerk, 0)], 0)
    latent -= np.where(service.sought[rows], np.minimum(service.wait[rows] / 300, 1.5) * 0.5, 0)
    latent -= np.where(service.sought[rows] & (clerk < 0), 0.4, 0)
    planted = (occasions.store[rows] == laws.action_store % stores.n) & (occasions.day[rows] >= CHANGE_AT * days.n)
    latent += np.where(planted & ~delivery & (stores.n > 1), laws.action_effect, 0)
    asked_at = occasions.paid[rows] + np.where(delivery, 3 * DAY_SECONDS, 1800)
    table = pl.DataFrame(
        {
            "response_id": [f"T{i + 1:07d}" for i in range(len(rows))],
            "question": ["touchpoint"] * len(rows),
            "touchpoint": np.where(delivery, "delivery", "store"),
            "survey_id": np.where(delivery, "ONETAP-DELIVERY", "ONETAP-STORE"),
            "customer_id": pl.Series(people.ids).gather(who),
            "store_id": pl.Series(stores.ids).gather(occasions.store[rows]),
            "asked_at": asked_at,
            "answered_at": asked_at + rng.exponential(3 * 3600, len(rows)).astype(np.int64) + 20,
            "score": np.clip(np.round(latent), 1, 5).astype(np.int64),
            "scale_min": np.full(len(rows), 1), "scale_max": np.full(len(rows), 5),
        }
    )  # fmt: skip
    return table, asked


def _periodic(
    occasions: Occasions, people: People, stores: Stores, days: Days, laws: Laws, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    overall, nps = attitude("overall", people.experience, laws, rng), attitude("nps", people.experience, laws, rng)
    first = np.full(people.n, 10**9)
    known = occasions.person >= 0
    np.minimum.at(first, occasions.person[known], occasions.day[known])
    called = rng.random(people.n) < 0.22
    used = {"store": np.ones(people.n, bool), "app": people.has_app, "web": people.has_web, "delivery": people.has_ec, "call": called}
    frames, asked = [], []
    sheet = 0
    for day in range(min(20, days.n - 1), days.n, laws.periodic_every_days):
        reach = np.flatnonzero((first < day) & (people.contact | people.has_app) & (np.arange(people.n) < people.members))
        reach = reach[rng.random(len(reach)) < laws.periodic_asked]
        who = reach[_answers_at(len(reach), laws.periodic_answer, reach, people, laws, rng)]
        asked.append({"survey_id": "PERIODIC", "day": day, "asked": len(reach), "answered": len(who)})
        k = len(who)
        asked_at = np.full(k, day * DAY_SECONDS + 10 * 3600)
        answered_at = asked_at + rng.exponential(1.5 * DAY_SECONDS, k).astype(np.int64) + 60
        response = [f"Q{sheet + i + 1:07d}" for i in range(k)]
        sheet += k

        def say(trait: F, mean: float, noise: float, high: int, size: int = k) -> I:
            return np.asarray(np.clip(np.round(mean + 1.7 * (trait + rng.normal(0, noise, size))), 0 if high == 0 else 1, 10), np.int64)

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
                    "customer_id": pl.Series(people.ids).gather(who), "store_id": pl.Series(stores.ids).gather(people.home[who]),
                    "asked_at": asked_at, "answered_at": answered_at, "score": score,
                    "scale_min": np.full(k, 0 if question == "nps" else 1), "scale_max": np.full(k, 10),
                }
            )  # fmt: skip
            frames.append(frame if applies is None else frame.filter(pl.Series(applies)))
    table = pl.concat(frames).sort("response_id", maintain_order=True)
    return table, pl.DataFrame(asked).select("survey_id", "day", "asked", "answered")


def _comment(
    answers: pl.DataFrame, leaves: Leaves, products: Products, days: Days, laws: Laws, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Adds comments to one-tap answers and to the ``overall`` row of sheets; truth: theme and sentiment."""
    words = vocabulary.document("comments")
    names = list(words["themes"])
    weight = np.array([words["themes"][t]["weight"] for t in names])
    question = answers["question"].to_numpy()
    may = np.isin(question, ["overall"]) | answers["survey_id"].str.starts_with("ONETAP").to_numpy()
    chosen = np.flatnonzero(may & (rng.random(len(may)) < laws.comment_share))
    share = ((answers["score"] - answers["scale_min"]) / (answers["scale_max"] - answers["scale_min"])).to_numpy()
    at = answers["answered_at"].to_numpy()
    touchpoint = answers["touchpoint"].to_list()
    text: list[str | None] = [None] * answers.height
    rows = []
    for i in chosen.tolist():
        good = bool(rng.random() < 1 / (1 + np.exp(-9 * (share[i] - 0.56))))
        sentiment = "positive" if good else "negative"
        w = weight.copy()
        if at[i] > CHANGE_AT * days.n * DAY_SECONDS and not good:
            w[names.index("app")] *= 4
        if touchpoint[i] == "delivery":
            w[names.index("delivery")] *= 8
        theme = names[int(rng.choice(len(names), p=w / w.sum()))]
        product = int(rng.integers(len(products.ids)))
        body = str(rng.choice(words["themes"][theme][sentiment])).format(
            leaf=leaves.name[products.leaf[product]], brand=products.brand[product], hour=int(rng.integers(10, 21))
        )
        plain = theme == "none"
        head = "" if plain else str(rng.choice(words["openers"][sentiment]))
        tail = "" if plain else str(rng.choice(words["closers"][sentiment]))
        text[i] = head + body + tail
        rows.append((answers["response_id"][i], question[i], theme, sentiment))
    truth = pl.DataFrame(rows, schema=["response_id", "question", "theme", "sentiment"], orient="row")
    return answers.with_columns(comment=pl.Series(text, dtype=pl.String)), truth
