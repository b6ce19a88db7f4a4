"""Focus merchandise (重点商品): to which of a store's customers to propose it, and what that displaces.

Only first purchases count, so who bought of it before is left out, as are customers who refused profiling, those held
out by design, and those who declined it lately. With a hold-out large enough the order is by uplift, what the proposal
itself adds; before that by the chance of a purchase, and the list says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from recommender.catalogue import Campaign, Catalogue
from recommender.columns import EVIDENCE
from recommender.gathering import FOCUS_FLOOR, LoadedModel
from recommender.id_table import as_table
from recommender.new_products import suitability
from recommender.requests import Policy
from recommender.rules.holdout import HOLDOUT, arm_of
from recommender.trained import RankedLists
from recommender.uplift import UpliftModel
from recommender.uplift_rows import UpliftFrames, uplift_rows

REGULAR_DAYS = 90
"""Who came to a store within so many days is one of its customers."""
SLOTS = 5
"""Places on the tablet: the focus product takes the last of them."""
LISTED = 200
BLOCK, CONSIDERED = 2_000, 50
DAY = 86_400_000_000


@dataclass(frozen=True)
class FocusProposal:
    """One customer to propose to. Chances of a purchase with and without the proposal; `displaced` is the product
    that leaves the tablet for it, `gain` and `lost` the expected extra sales of proposing either, in money.
    """

    customer_id: str
    store_id: str
    product_id: str
    uplift: float
    proposed: float
    unasked: float
    displaced: str | None
    gain: float
    lost: float
    evidence: Mapping[str, Any]
    last_visit: int
    gap_days: float

    @property
    def displaces_better(self) -> bool:
        """Whether the customer's own fifth suggestion is worth more."""
        return self.lost > self.gain


def running(catalogue: Catalogue, day: int) -> list[Campaign]:
    """Campaigns with known merchandise that run on a day (days since 1970-01-01), those that end first first."""
    found = [each for each in catalogue.campaigns if each.first_day <= day <= each.last_day and each.focus.any()]
    return sorted(found, key=lambda each: (each.last_day, each.campaign_id))


def focus_lists(
    loaded: LoadedModel, frames: UpliftFrames, campaign: Campaign, model: UpliftModel | None, *, policy: Policy,
    usable: Collection[str], sold_out: Mapping[str, Collection[str]], dismissed: Collection[tuple[str, str]],
    day: int, now: datetime,
) -> dict[str, list[FocusProposal]]:  # fmt: skip
    """The proposals of a campaign by store, best first, at most LISTED each.

    `usable` are customers who are there and may be profiled; `sold_out` products by store; `dismissed` pairs of
    customer and product that a clerk put aside.
    """
    catalogue = loaded.catalogue
    offered = campaign.focus & ~catalogue.restricted & (catalogue.discontinued_day > day)
    offered &= catalogue.released_day <= day
    if not offered.any():
        return {}
    whose = _regulars(frames, campaign, usable, policy, now=now)
    whose = whose.filter(~pl.col("customer_id").is_in(_buyers(frames, catalogue, campaign).implode()))
    if not len(whose):
        return {}
    suited = _suited(loaded, frames, whose["customer_id"], offered)
    declined = _declined(frames, since=now - timedelta(days=policy.declined_days)) | set(dismissed)
    chosen = [
        choice
        for row, best in zip(whose.iter_rows(named=True), suited, strict=True)
        if (choice := _choice(loaded, offered, best, row, sold_out.get(row["store_id"], ()), declined, policy))
    ]
    chosen = _in_their_words(chosen, frames, catalogue)
    if not chosen:
        return {}
    found = _valued(loaded, frames, chosen, model, now=now)
    return {
        str(store): sorted(mine, key=lambda each: (each.displaces_better, -each.uplift, each.customer_id))[:LISTED]
        for store in sorted({each.store_id for each in found})
        if (mine := [each for each in found if each.store_id == store])
    }


@dataclass(frozen=True)
class _Choice:
    customer_id: str
    store_id: str
    product: int
    probability: float
    displaced: int
    displaced_probability: float
    evidence: Mapping[str, Any]
    last_visit: int
    gap_days: float


def _regulars(
    frames: UpliftFrames, campaign: Campaign, usable: Collection[str], policy: Policy, *, now: datetime
) -> pl.DataFrame:
    """customer_id, the store of most visits lately, last_visit (microseconds UTC) and gap_days between visits."""
    visits = frames.lines.filter(
        pl.col("customer_id").is_not_null() & (pl.col("quantity") > 0) & (pl.col("sold_at") < now)
    ).select("customer_id", "store_id", at=pl.col("sold_at").dt.timestamp("us"), day=pl.col("sold_at").dt.date())
    rhythm = visits.group_by("customer_id").agg(
        last_visit=pl.col("at").max(),
        gap_days=(pl.col("day").max() - pl.col("day").min()).dt.total_days() / (pl.col("day").n_unique() - 1).clip(1),
    )
    recent = visits.filter(pl.col("at") >= int((now - timedelta(days=REGULAR_DAYS)).timestamp() * 1e6))
    usual = (
        recent.group_by("customer_id", "store_id")
        .agg(days=pl.col("day").n_unique(), latest=pl.col("at").max())
        .sort("days", "latest", "store_id", descending=True)
        .unique("customer_id", keep="first", maintain_order=True)
    )
    if campaign.stores:
        usual = usual.filter(pl.col("store_id").is_in(sorted(campaign.stores)))
    held = [
        customer
        for customer in usual["customer_id"].to_list()
        if customer in usable and arm_of(customer, policy.holdout, policy.holdout_salt) != HOLDOUT
    ]
    return usual.filter(pl.col("customer_id").is_in(held)).join(rhythm, on="customer_id").sort("customer_id")


def _buyers(frames: UpliftFrames, catalogue: Catalogue, campaign: Campaign) -> pl.Series:
    """Customers who bought of the campaign's merchandise before."""
    focus = [catalogue.products[int(number)] for number in np.flatnonzero(campaign.focus)]
    bought = frames.lines.filter(pl.col("product_id").is_in(focus) & (pl.col("quantity") > 0))
    return bought["customer_id"].drop_nulls().unique()


def _declined(frames: UpliftFrames, *, since: datetime) -> set[tuple[str, str]]:
    shown = frames.suggestions.filter(pl.col("shown_at") >= since).join(
        frames.outcomes.filter(pl.col("result") == "declined"), on="suggestion_id"
    )
    return set(shown.select("customer_id", "product_id").iter_rows())


def _choice(
    loaded: LoadedModel, offered: NDArray[np.bool_], suited: Sequence[int], row: Mapping[str, Any],
    gone: Collection[str], declined: Collection[tuple[str, str]], policy: Policy,
) -> _Choice | None:  # fmt: skip
    """The focus product that suits the customer best, and what of the first SLOTS places it would displace."""
    customer, products = row["customer_id"], loaded.catalogue.products
    model, place = loaded.model, as_table(loaded.model.customer_ids).find(customer)
    ahead = model.ahead if place >= 0 else RankedLists.empty(1)
    span = ahead.row(max(place, 0))
    mine, chance, fresh = ahead.product[span], ahead.probability[span], ahead.is_new[span]

    def possible(product: int) -> bool:
        product_id = products[product]
        return product_id not in gone and (customer, product_id) not in declined

    worth = chance * np.where(fresh, policy.first_purchase_value, 1.0)
    order = [int(entry) for entry in np.argsort(-worth, kind="stable")]
    for entry in order:
        product = int(mine[entry])
        if offered[product] and possible(product):
            evidence = _evidence(loaded, ahead, span.start + entry)
            own, probability = product, float(chance[entry])
            break
    else:
        own = next((product for product in suited if possible(product)), -1)
        if own < 0:
            return None
        probability, evidence = FOCUS_FLOOR, {"ground": "focus"}
    others = [entry for entry in order if int(mine[entry]) != own]
    last = others[SLOTS - 1] if len(others) >= SLOTS and own not in mine[order[:SLOTS]] else -1
    displaced, displaced_chance = (int(mine[last]), float(chance[last])) if last >= 0 else (-1, 0.0)
    return _Choice(
        customer, row["store_id"], own, probability, displaced, displaced_chance, evidence, row["last_visit"],
        float(row["gap_days"]),
    )  # fmt: skip


def _suited(
    loaded: LoadedModel, frames: UpliftFrames, customers: pl.Series, offered: NDArray[np.bool_]
) -> list[list[int]]:
    """For each customer the offered products, those first that suit what he buys: the only thing to go by for products
    that no list holds.
    """
    ids = pl.DataFrame({"product_id": list(loaded.catalogue.products)})
    described = ids.join(frames.products.unique("product_id"), on="product_id", how="left", maintain_order="left")
    lines = (
        frames.lines.filter(pl.col("quantity") > 0)
        .join(ids.with_row_index("product"), on="product_id")
        .join(pl.DataFrame({"customer_id": customers}).with_row_index("row"), on="customer_id")
    )
    pairs = lines["row"].to_numpy(), lines["product"].to_numpy()
    owned = sparse.csr_array((np.ones(len(lines), np.float32), pairs), shape=(len(customers), len(ids)))
    wanted = np.flatnonzero(offered)
    found: list[list[int]] = []
    for start in range(0, len(customers), BLOCK):  # bounds the memory
        scores = suitability(owned[start : start + BLOCK], described, wanted)
        found += [wanted[row].tolist() for row in np.argsort(-scores, axis=1, kind="stable")[:, :CONSIDERED]]
    return found


def _evidence(loaded: LoadedModel, ahead: RankedLists, entry: int) -> dict[str, Any]:
    """Why this product for this customer, as stored with suggestions: the ground and what it points to."""
    catalogue = loaded.catalogue
    ground, about = EVIDENCE[int(ahead.evidence_kind[entry])], int(ahead.evidence[entry])
    if about == int(ahead.product[entry]) or about < 0:
        return {"ground": "viewed_itself" if ground == "viewed" and about >= 0 else "focus"}
    facts: dict[str, Any] = {"ground": ground, "name": catalogue.names[about]}
    if ground == "category" and (path := catalogue.category_of(about)):
        facts["category"] = path.rsplit(" > ", 1)[-1]
    return facts


def _in_their_words(chosen: list[_Choice], frames: UpliftFrames, catalogue: Catalogue) -> list[_Choice]:
    """Where nothing better explains the product: what the customer buys most of the category above its own."""
    above = {path: path.rsplit(" > ", 1)[0] for path in catalogue.category_names if " > " in path}
    asked = {above.get(catalogue.category_of(each.product) or "", "") for each in chosen} - {""}
    paths = frames.products.select(
        "product_id", above=pl.col("category").replace_strict(above, default=None, return_dtype=pl.String)
    ).filter(pl.col("above").is_in(sorted(asked)))
    customers = pl.Series([each.customer_id for each in chosen], dtype=pl.String)
    bought = frames.lines.filter((pl.col("quantity") > 0) & pl.col("customer_id").is_in(customers.implode()))
    most = (
        bought.join(paths.unique("product_id"), on="product_id")
        .group_by("customer_id", "above", "product_id")
        .agg(times=pl.len(), latest=pl.col("sold_at").max())
        .sort("times", "latest", "product_id", descending=True)
        .unique(["customer_id", "above"], keep="first")
    )
    familiar = {(row["customer_id"], row["above"]): row["product_id"] for row in most.iter_rows(named=True)}
    told = []
    for each in chosen:
        path = above.get(catalogue.category_of(each.product) or "", "")
        number = catalogue.number(familiar.get((each.customer_id, path), ""))
        if each.evidence["ground"] == "focus" and number >= 0 and number != each.product:
            facts = {"ground": "category", "name": catalogue.names[number], "category": path.rsplit(" > ", 1)[-1]}
            each = replace(each, evidence=facts)
        told.append(each)
    return told


def _valued(
    loaded: LoadedModel, frames: UpliftFrames, chosen: list[_Choice], model: UpliftModel | None, *, now: datetime
) -> list[FocusProposal]:
    """Uplift of the focus product and of what it displaces, both by the same model, times their prices."""
    catalogue, n = loaded.catalogue, len(chosen)
    prices = np.array([float(price or 0.0) for price in catalogue.prices])
    products = np.array([each.product for each in chosen] + [each.displaced for each in chosen])
    proposed = np.array([each.probability for each in chosen] + [each.displaced_probability for each in chosen])
    unasked, uplift = np.zeros(2 * n), proposed.copy()
    if model is not None:
        asked = pl.DataFrame(
            {
                "customer_id": [each.customer_id for each in chosen] * 2,
                "product_id": [catalogue.products[int(product)] if product >= 0 else "" for product in products],
                "shown_at": pl.Series([now] * (2 * n), dtype=pl.Datetime("us", "UTC")),
            }
        )
        effects = model.predict(uplift_rows(frames, asked))
        proposed, unasked, uplift = effects.proposed, effects.unasked, effects.uplift
    value = np.where(products >= 0, np.maximum(uplift, 0.0) * prices[products], 0.0)
    return [
        FocusProposal(
            each.customer_id, each.store_id, catalogue.products[each.product], round(float(uplift[i]), 5),
            round(float(proposed[i]), 5), round(float(unasked[i]), 5),
            catalogue.products[each.displaced] if each.displaced >= 0 else None, round(float(value[i]), 2),
            round(float(value[n + i]), 2), each.evidence, each.last_visit, round(each.gap_days, 1),
        )
        for i, each in enumerate(chosen)
    ]  # fmt: skip
