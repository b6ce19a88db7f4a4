"""Truth of persons and goods: clerks, customers, tastes, uplift and every suggestion's chance of acceptance."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation.floor import PRACTICES, Clerks
from journey.simulation.laws import Laws
from journey.simulation.people import TIERS, TOUCHPOINTS, People, loyalty, tier_of
from journey.simulation.products import Leaves, Products
from journey.simulation.proposals import KINDS, LISTEN_NEEDS, SLEEPING
from journey.simulation.served import suggestion_ids
from journey.simulation.stores import Stores


def clerks_truth(
    clerks: Clerks, log: pl.DataFrame, stores: Stores, leaves: Leaves, laws: Laws, rng: np.random.Generator
) -> pl.DataFrame:
    """Skill and true success: the acceptance of one and the same sample of proposals, had each clerk made them all."""
    made = log.filter("proposed")
    if made.is_empty():
        made = log
    sample = made[np.sort(rng.choice(made.height, min(4000, made.height), replace=False))]
    base, unasked = sample["base"].to_numpy(), sample["unasked"].to_numpy()
    reason = sample["reason"].to_numpy()
    base = base + np.where(reason == 1, np.log(laws.practice_odds["reason_web_view"]), 0)
    base = base + np.where(reason == 3, np.log(laws.practice_odds["reason_popular"]), 0)
    new = sample["kind"].to_numpy() > 0
    shares = made["kind"].to_numpy()
    log_odds = {p: np.log(laws.practice_odds[p]) for p in PRACTICES}
    repeat_share = float((shares == 0).mean()) if len(shares) else 0.0
    success = np.zeros(len(clerks.ids))
    long_enough = float((made["seconds"].to_numpy() > LISTEN_NEEDS).mean()) if made.height else 0.0
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
            z = (
                base
                + skill
                + listens * log_odds["listen_first"]
                + few * log_odds["few"]
                + familiar * new * log_odds["familiar_first"]
            )
            total += p / (1 + np.exp(-z))
        success[clerk] = float((unasked + (1 - unasked) * total).mean()) if len(base) else np.nan
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
            "magnet": np.isin(np.arange(len(products.ids)), products.magnets),
            "complement": [
                leaves.name[leaves.complement[i]] if leaves.complement[i] >= 0 else None for i in products.leaf
            ],
        }
    )
    return frame.with_columns(
        **{f"taste_{i + 1}": pl.Series(products.taste[:, i]) for i in range(laws.taste_dimensions)}
    )


def uplift_truth(log: pl.DataFrame, people: People, laws: Laws) -> pl.DataFrame:
    """Per customer and kind of suggestion: group, chance of buying unasked and when proposed, over what was shown.

    Every registered customer has a group for each kind; the chances are empty where nothing of that kind was shown.
    """
    unasked = pl.when("in_basket").then(1.0).otherwise("unasked")
    kept = pl.when((pl.col("group") == SLEEPING) & ~pl.col("in_basket")).then(1 - laws.sleeping_dog_loss).otherwise(1.0)
    proposed = unasked * kept + (1 - unasked) * pl.col("p_accept")
    # whole numbers, so that the order of summation cannot show
    whole = [(1e6 * e).round(0).cast(pl.Int64).alias(n) for n, e in (("alone", unasked), ("asked", proposed))]
    seen = (
        log.select("person", "kind", *whole)
        .group_by("person", "kind")
        .agg(shown=pl.len(), p_unasked=pl.col("alone").sum(), p_proposed=pl.col("asked").sum())
        .with_columns((pl.col("p_unasked", "p_proposed") / pl.col("shown") / 1e6).round(5))
    )
    names = pl.Series([g[0] for g in laws.uplift_groups])
    n = people.members
    table = pl.DataFrame({"person": np.repeat(np.arange(n), 3), "kind": np.tile(np.arange(3), n)})
    return table.join(seen, on=["person", "kind"], how="left", maintain_order="left").select(
        customer_id=pl.Series(people.ids).gather(table["person"]),
        kind=pl.Series(KINDS).gather(table["kind"]),
        group=names.gather(people.group[:n].ravel()),
        shown=pl.col("shown").fill_null(0),
        p_unasked="p_unasked",
        p_proposed="p_proposed",
        uplift=pl.col("p_proposed") - pl.col("p_unasked"),
    )


def acceptance_truth(log: pl.DataFrame) -> pl.DataFrame:
    """Per suggestion: the true probability of acceptance had it been proposed, and what the service was like."""
    return log.select(
        suggestion_id=suggestion_ids(log), kind=pl.Series(KINDS).gather(log["kind"]), p_accept="p_accept",
        bought_unasked="bought_unasked", proposed="proposed", on_receipt="on_receipt", listen_first="listen_first",
        familiar_first="familiar_first", few="few", follows_rank="follows_rank", congestion="congestion",
        service_seconds="seconds",
    )  # fmt: skip
