"""The truth beside the extract: what an analysis should find."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import polars as pl

from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.floor import PRACTICES, Clerks, Service
from journey.simulation.laws import Laws
from journey.simulation.occasions import Occasions
from journey.simulation.people import TIERS, TOUCHPOINTS, People, loyalty, tier_of, touchpoint_correlation
from journey.simulation.products import F, Leaves, Products
from journey.simulation.proposals import KINDS
from journey.simulation.served import suggestion_ids
from journey.simulation.stores import QUARTERS, Stores
from journey.simulation.voices import CHANGE_AT

KIND_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday")


def clerks_truth(clerks: Clerks, log: pl.DataFrame, stores: Stores, leaves: Leaves, laws: Laws, rng: np.random.Generator) -> pl.DataFrame:
    """Skill and true success: the acceptance of one and the same sample of proposals, had each clerk made them all."""
    made = log.filter("proposed")
    sample = made[np.sort(rng.choice(made.height, min(4000, made.height), replace=False))]
    base, unasked = sample["base"].to_numpy(), sample["unasked"].to_numpy()
    reason = sample["reason"].to_numpy()
    base = base + np.where(reason == 1, np.log(laws.practice_odds["reason_web_view"]), 0)
    base = base + np.where(reason == 3, np.log(laws.practice_odds["reason_popular"]), 0)
    new = sample["kind"].to_numpy() > 0
    shares = made["kind"].to_numpy()
    log_odds = {p: np.log(laws.practice_odds[p]) for p in PRACTICES}
    repeat_share = float((shares == 0).mean())
    success = np.zeros(len(clerks.ids))
    long_enough = float((made["seconds"] > 80).mean())
    for clerk in range(len(success)):
        habit = dict(zip(PRACTICES, clerks.habit[clerk], strict=True))
        skill = clerks.skill[clerk] + clerks.strength[clerk].mean()
        total = np.zeros(len(base))
        for listens, few, familiar in np.ndindex(2, 2, 2):
            p = 1.0
            for used, chance in (
                (listens, habit["listen_first"] * long_enough),
                (few, habit["few"] + (1 - habit["few"]) * 0.18),
                (familiar, repeat_share + (1 - repeat_share) * habit["familiar_first"]),
            ):
                p *= chance if used else 1 - chance
            z = base + skill + listens * log_odds["listen_first"] + few * log_odds["few"] + familiar * new * log_odds["familiar_first"]
            total += p / (1 + np.exp(-z))
        success[clerk] = float((unasked + (1 - unasked) * total).mean())
    frame = pl.DataFrame(
        {
            "clerk_id": clerks.ids,
            "store_id": [stores.ids[s] for s in clerks.store],
            "skill": clerks.skill,
            "true_success": success,
            "true_oe": success / success.mean(),
            "proposes": clerks.proposes,
            "diligence": clerks.diligence,
        }
    )
    habits = {f"uses_{p}": clerks.habit[:, i] for i, p in enumerate(PRACTICES)}
    strengths = {f"strength_{t}": clerks.strength[:, i] for i, t in enumerate(leaves.tops)}
    return frame.with_columns(**{k: pl.Series(v) for k, v in (habits | strengths).items()})


def customers_truth(people: People, laws: Laws) -> pl.DataFrame:
    """Taste, loyalty, rates and chances of every person."""
    frame = pl.DataFrame(
        {
            "customer_id": people.ids,
            "registered": np.arange(people.n) < people.members,
            "heart": people.heart,
            "head": people.head,
            "loyalty": loyalty(people),
            "tier": [TIERS[t] for t in tier_of(people)],
            "visit_rate": people.rate,
            "p_churn": people.p_churn,
            "one_time": people.one_time,
            "arm": np.where(people.holdout, "holdout", "suggested"),
        }
    )
    tastes = {f"taste_{i + 1}": people.taste[:, i] for i in range(laws.taste_dimensions)}
    experience = {f"experience_{t}": people.experience[:, i] for i, t in enumerate(TOUCHPOINTS)}
    return frame.with_columns(**{k: pl.Series(v) for k, v in (experience | tastes).items()})


def products_truth(products: Products, leaves: Leaves, laws: Laws) -> pl.DataFrame:
    """Taste vector, popularity, cycle and season of every product."""
    frame = pl.DataFrame(
        {
            "product_id": products.ids,
            "leaf": [leaves.name[i] for i in products.leaf],
            "cycle_days": leaves.cycle[products.leaf],
            "season": [leaves.season[i] for i in products.leaf],
            "popularity": products.popularity / products.popularity.sum(),
            "complement": [leaves.name[leaves.complement[i]] if leaves.complement[i] >= 0 else None for i in products.leaf],
        }
    )
    return frame.with_columns(**{f"taste_{i + 1}": pl.Series(products.taste[:, i]) for i in range(laws.taste_dimensions)})


def uplift_truth(log: pl.DataFrame, people: People, laws: Laws) -> pl.DataFrame:
    """Per customer and kind of suggestion: group, chance of buying unasked and when proposed (means over what was shown)."""
    groups = pl.Series([g[0] for g in laws.uplift_groups])
    alone = pl.col("bought_unasked").cast(pl.Float64)
    asked = pl.when("bought_unasked").then(pl.when(pl.col("group") == 3).then(1 - laws.sleeping_dog_loss).otherwise(1.0) + 0 * pl.col("p_accept")).otherwise("p_accept")
    table = log.group_by("person", "kind", maintain_order=True).agg(
        group=pl.col("group").first(), shown=pl.len(), p_unasked=alone.mean(), p_proposed=asked.mean()
    )
    return table.select(
        customer_id=pl.Series(people.ids).gather(table["person"]),
        kind=pl.Series(KINDS).gather(table["kind"]),
        group=groups.gather(table["group"]),
        shown="shown",
        p_unasked="p_unasked",
        p_proposed="p_proposed",
        uplift=pl.col("p_proposed") - pl.col("p_unasked"),
    ).sort("customer_id", "kind")


def acceptance_truth(log: pl.DataFrame) -> pl.DataFrame:
    """Per suggestion: the true probability of acceptance had it been proposed, and what the service was like."""
    return log.select(
        suggestion_id=suggestion_ids(log), kind=pl.Series(KINDS).gather(log["kind"]), p_accept="p_accept",
        bought_unasked="bought_unasked", proposed="proposed", on_receipt="on_receipt", listen_first="listen_first",
        familiar_first="familiar_first", few="few", follows_rank="follows_rank", congestion="congestion",
        service_seconds="seconds",
    )  # fmt: skip


def arrivals_truth(rates: F, stores: Stores) -> pl.DataFrame:
    """People entering per quarter hour on a day of factor 1, by store and kind of day."""
    s, k, q = (a.ravel() for a in np.meshgrid(np.arange(stores.n), np.arange(8), np.arange(QUARTERS), indexing="ij"))
    frame = pl.DataFrame(
        {
            "store_id": pl.Series(stores.ids).gather(s),
            "day_kind": pl.Series(KIND_NAMES).gather(k),
            "quarter": q,
            "starts": [f"{i // 4:02d}:{i % 4 * 15:02d}" for i in q],
            "rate": rates.ravel(),
        }
    )
    return frame.filter(pl.col("rate") > 0)


def days_truth(days: Days) -> pl.DataFrame:
    """Each day's kind and demand factor: rate(day, quarter) = rate(kind, quarter) × factor."""
    return pl.DataFrame(
        {
            "date": [days.date_of(d).isoformat() for d in range(days.n)],
            "day_kind": [KIND_NAMES[k] for k in days.kind],
            "holiday": days.holiday,
            "factor": days.factor,
        }
    )


def service_truth(occasions: Occasions, service: Service, stores: Stores, laws: Laws) -> pl.DataFrame:
    """Per store: law of service and patience, and what came of it."""
    rows = []
    for store in range(stores.n):
        sought = service.sought & (occasions.store == store)
        served = sought & (service.clerk >= 0)
        rows.append(
            {
                "store_id": stores.ids[store], "mean_seconds": laws.service_mean_seconds, "cv": laws.service_cv,
                "patience_mean_seconds": laws.patience_mean_seconds, "seeks_service": laws.seeks_service,
                "sought": int(sought.sum()), "served": int(served.sum()), "unserved": int((sought & ~served).sum()),
                "mean_wait_seconds": float(service.wait[sought].mean()) if sought.any() else 0.0,
                "within_60_s": float((served & (service.wait <= 60))[sought].mean()) if sought.any() else 0.0,
            }
        )  # fmt: skip
    return pl.DataFrame(rows)


def drivers_truth(laws: Laws) -> pl.DataFrame:
    """Weights of the touchpoints for heart, head, overall and nps, and their population LMG shares."""
    correlation = touchpoint_correlation(laws)
    rows = []
    for kgi, weights in laws.drivers.items():
        w = np.array([weights[t] for t in TOUCHPOINTS])
        explained = 1 - laws.heart_head_noise
        shares = _lmg(correlation, w / np.sqrt(w @ correlation @ w) * np.sqrt(explained))
        order = np.argsort(-shares).argsort() + 1
        rows += [
            {"kgi": kgi, "touchpoint": t, "weight": weights[t], "lmg_share": shares[i] / shares.sum(), "order": int(order[i]), "r2": explained}
            for i, t in enumerate(TOUCHPOINTS)
        ]  # fmt: skip
    return pl.DataFrame(rows)


def _lmg(correlation: F, beta: F) -> F:
    """Shapley shares of the explained variance of standardised predictors (Lindeman, Merenda, Gold 1980)."""
    k = len(beta)
    cov = correlation @ beta

    def r2(subset: tuple[int, ...]) -> float:
        if not subset:
            return 0.0
        index = list(subset)
        return float(cov[index] @ np.linalg.solve(correlation[np.ix_(index, index)], cov[index]))

    shares = np.zeros(k)
    for j in range(k):
        others = [i for i in range(k) if i != j]
        for size in range(k):
            weight = factorial(size) * factorial(k - size - 1) / factorial(k)
            for subset in combinations(others, size):
                shares[j] += weight * (r2(tuple(sorted((*subset, j)))) - r2(subset))
    return shares


def practices_truth(laws: Laws) -> pl.DataFrame:
    """Odds ratio of every practice; 1 is a planted non-effect."""
    return pl.DataFrame({"practice": list(laws.practice_odds), "odds_ratio": list(laws.practice_odds.values())})


def actions_truth(days: Days, stores: Stores, laws: Laws) -> pl.DataFrame:
    """Planted events: an action with an effect, one without, and an app update that annoys."""
    at = days.date_of(int(np.ceil(CHANGE_AT * days.n))).isoformat()
    real = stores.ids[laws.action_store % stores.n] if stores.n > 1 else None
    return pl.DataFrame(
        [
            {"event": "service_training", "store_id": real, "starts_on": at, "measure": "one_tap store score (before rounding)", "effect": laws.action_effect if real else 0.0},
            {"event": "new_uniforms", "store_id": stores.ids[laws.action_null_store % stores.n], "starts_on": at, "measure": "one_tap store score (before rounding)", "effect": 0.0},
            {"event": "app_update", "store_id": None, "starts_on": at, "measure": "weight of theme app among negative comments", "effect": 4.0},
        ]
    )  # fmt: skip


def write_truth(directory: Path, tables: dict[str, pl.DataFrame], laws: Laws, setting: dict[str, object]) -> None:
    """Writes ``DIR/truth/*.csv`` and ``laws.json``."""
    folder = directory / "truth"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.write_csv(folder / f"{name}.csv", float_precision=6)
    document = {"setting": setting, "laws": asdict(laws), "day_seconds": DAY_SECONDS}
    (folder / "laws.json").write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
