"""Receipts: lines with prices, discounts, coupons redeemed on any channel, the cashier, and later returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.baskets import quantities
from journey.simulation.chain import Sales
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.floor import Clerks
from journey.simulation.laws import Laws
from journey.simulation.links import Links
from journey.simulation.occasions import EC, STORE, Occasions
from journey.simulation.offers import CHANNELS, VALID_DAYS, Offers
from journey.simulation.people import People
from journey.simulation.products import Leaves, Products
from journey.simulation.stores import CLOSES, OPENS, Stores


@dataclass(frozen=True)
class Till:
    """Lines in order of receipts, with numbers instead of ids, and the coupons redeemed."""

    lines: pl.DataFrame
    redeemed: pl.DataFrame  # grant, at, channel


def ring_up(
    sales: Sales, occasions: Occasions, people: People, products: Products, leaves: Leaves, offers: Offers,
    stores: Stores, days: Days, laws: Laws, rng: np.random.Generator,
) -> Till:  # fmt: skip
    """Prices all lines and numbers the receipts of each store and day in the order of payment."""
    quantity = quantities(sales.product, products, leaves, rng)
    gross = products.price[sales.product] * quantity
    cut = np.where(sales.promoted, np.round(gross * 0.12), 0).astype(np.int64)
    row = sales.occasion
    lines = pl.DataFrame(
        {
            "occasion": row, "person": occasions.person[row], "store": occasions.store[row],
            "channel": occasions.channel[row],
            "second": occasions.paid[row], "card": occasions.card[row], "product": sales.product, "quantity": quantity,
            "gross": gross, "discount": cut, "origin": sales.origin, "seen": sales.seen,
            "leaf": products.leaf[sales.product],
        }
    ).with_row_index("line")  # fmt: skip
    lines = lines.filter(pl.col("second") < days.n * DAY_SECONDS)
    lines, redeemed = _redeem(lines, offers, laws, rng)
    back = _returns(lines, stores, days, laws, rng)
    lines = pl.concat([lines.with_columns(returned=pl.lit(False)), back], how="diagonal_relaxed")
    lines = lines.sort("store", "second", "returned", "occasion", "line", maintain_order=True)
    group = pl.struct("occasion", "second", "returned").rle_id()
    lines = lines.with_columns(receipt=group).with_columns(line_no=pl.int_range(pl.len()).over("receipt") + 1)
    day = pl.col("second") // DAY_SECONDS
    lines = lines.with_columns(number=(pl.col("receipt") - pl.col("receipt").min().over("store", day) + 1))
    return Till(lines, redeemed)


def _redeem(
    lines: pl.DataFrame, offers: Offers, laws: Laws, rng: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Uses a granted coupon on the first line that it fits; one coupon a line, one line a grant."""
    grants = pl.DataFrame(
        {
            "grant": np.arange(len(offers.grant_coupon)),
            "coupon": offers.grant_coupon,
            "person": offers.grant_person,
            "granted": offers.grant_second,
        }
    ).with_columns(
        want_leaf=pl.Series(offers.leaf)[offers.grant_coupon],
        want_product=pl.Series(offers.product)[offers.grant_coupon],
        until=pl.Series((offers.begins + VALID_DAYS + 1) * DAY_SECONDS)[offers.grant_coupon],
        ec=pl.Series(["ec" in c for c in offers.channels])[offers.grant_coupon],
        shop=pl.Series(["store" in c for c in offers.channels])[offers.grant_coupon],
    )
    grants = grants.filter(pl.Series(rng.random(grants.height) < 0.75))  # some never think of it
    mine = lines.filter((pl.col("person") >= 0) & pl.col("card")).select(
        "line", "person", "second", "leaf", "product", "channel"
    )
    columns = ("grant", "coupon", "line", "second", "granted", "until", "ec", "shop", "channel")
    by_leaf = grants.filter(pl.col("want_leaf") >= 0)
    by_product = grants.filter(pl.col("want_product") >= 0)
    fits = pl.concat(
        [
            by_leaf.join(mine, left_on=["person", "want_leaf"], right_on=["person", "leaf"]).select(columns),
            by_product.join(mine, left_on=["person", "want_product"], right_on=["person", "product"]).select(columns),
        ]
    )
    fits = (
        fits.filter(
            (pl.col("second") > pl.col("granted"))
            & (pl.col("second") < pl.col("until"))
            & ((pl.col("channel") != EC) | pl.col("ec"))
            & ((pl.col("channel") != STORE) | pl.col("shop"))
        )
        .sort("second", "line", "grant")
        .unique("grant", keep="first", maintain_order=True)
        .unique("line", keep="first", maintain_order=True)
    )
    fits = fits.with_columns(
        value=pl.Series(offers.value)[fits["coupon"]], percent=pl.Series(offers.percent)[fits["coupon"]]
    )
    lines = lines.join(fits.select("line", "coupon", "value", "percent"), on="line", how="left", maintain_order="left")
    saving = pl.when("percent").then((pl.col("gross") * pl.col("value") / 100).round(0)).otherwise(pl.col("value"))
    room = pl.col("gross") - pl.col("discount")
    lines = lines.with_columns(
        discount=pl.col("discount") + pl.min_horizontal(saving.fill_null(0), room).cast(pl.Int64)
    ).drop("value", "percent")
    return lines, fits.select("grant", at="second", channel="channel")


def _returns(lines: pl.DataFrame, stores: Stores, days: Days, laws: Laws, rng: np.random.Generator) -> pl.DataFrame:
    """Goods brought back to the same store (EC: sent back) some days later, on a receipt of their own."""
    picked = np.flatnonzero(rng.random(lines.height) < laws.return_share)
    back = lines[picked]
    day = back["second"].to_numpy() // DAY_SECONDS + rng.integers(1, 15, len(picked))
    second = day * DAY_SECONDS + rng.integers(OPENS * 3600 + 600, (CLOSES - 1) * 3600, len(picked))
    back = back.with_columns(
        second=second, returned=pl.lit(True), quantity=-pl.col("quantity"), gross=-pl.col("gross"),
        discount=-pl.col("discount"), origin=pl.lit(-1, pl.Int64), seen=pl.lit(-1, pl.Int64),
    )  # fmt: skip
    return back.filter(pl.col("second") < days.n * DAY_SECONDS)


def _on_duty(lines: pl.DataFrame, roster: pl.DataFrame, duty: int) -> pl.Series:
    """A clerk of that duty in the line's store and second, or null: the one whose turn began last."""
    turns = roster.filter(pl.col("duty") == duty).select("store", "begins", "ends", "clerk").sort("begins", "clerk")
    found = (
        lines.select("store", "second", row=pl.int_range(pl.len()))
        .sort("second", maintain_order=True)
        .join_asof(turns, left_on="second", right_on="begins", by="store", strategy="backward", check_sortedness=False)
        .sort("row")
    )
    return found.select(pl.when(pl.col("ends") > pl.col("second")).then("clerk")).to_series()


def pos_lines_table(
    till: Till, people: People, links: Links, products: Products, offers: Offers, stores: Stores, clerks: Clerks,
    roster: pl.DataFrame, days: Days,
) -> pl.DataFrame:  # fmt: skip
    """The ``pos_lines`` table; ``sold_at`` still in seconds of the window.

    In stores the till knows a card number, in the EC shop and the app the customer.
    """
    lines = till.lines
    person = pl.col("person")
    payer = pl.Series(people.payer)[lines["person"].clip(0)]
    day_codes = pl.Series([days.date_of(d).strftime("%y%m%d") for d in range(days.n)])
    card = pl.Series([c or None for c in links.card], dtype=pl.String)[payer]
    in_store = pl.col("channel") == STORE
    shown = pl.col("card") & (person >= 0)
    # whoever is on the register, else somebody from the floor, else from the back room
    cashier = pl.coalesce(_on_duty(lines, roster, duty) for duty in (1, 0, 2))
    lines = lines.with_columns(pl.select(cashier.alias("cashier")).to_series())
    coupon_ids = offers.coupons["coupon_id"]
    return lines.select(
        receipt_id=pl.concat_str(
            pl.Series(stores.ids)[lines["store"]], pl.lit("-"), day_codes[lines["second"] // DAY_SECONDS], pl.lit("-"),
            pl.col("number").cast(pl.String).str.zfill(5),
        ),
        line_no="line_no",
        store_id=pl.Series(stores.ids)[lines["store"]],
        sold_at="second",
        channel=pl.Series(["store", "ec", "app"])[lines["channel"]],
        customer_id=pl.when(shown & (~in_store | card.is_null()))
        .then(pl.Series(people.ids)[lines["person"].clip(0)]).otherwise(None),
        card_no=pl.when(shown & in_store).then(card).otherwise(None),
        product_id=pl.Series(products.ids)[lines["product"]],
        quantity="quantity",
        amount=pl.col("gross") - pl.col("discount"),
        discount="discount",
        coupon_id=pl.when(pl.col("coupon").is_null()).then(None).otherwise(coupon_ids[lines["coupon"].fill_null(0)]),
        clerk_id=pl.when(pl.col("cashier").is_null() | (pl.col("channel") == EC)).then(None)
        .otherwise(pl.Series(clerks.ids)[lines["cashier"].fill_null(0)]),
    )  # fmt: skip


def borrowed_table(till: Till, receipts: pl.DataFrame, people: People) -> pl.DataFrame:
    """Truth: receipts with a card that is not the buyer's (a spouse's): receipt_id, person_id, customer_id of the card.

    receipts: receipt (number), receipt_id.
    """
    payers = pl.Series(people.payer)
    lines = till.lines.filter(pl.col("card") & (pl.col("person") >= 0) & (pl.col("channel") == STORE))
    lines = lines.with_columns(payer=payers.gather(lines["person"])).filter(pl.col("payer") != pl.col("person"))
    ids = pl.Series(people.ids)
    made = (
        lines.select("receipt", "person", "payer").unique(maintain_order=True).join(receipts, on="receipt", how="left")
    )
    return made.select("receipt_id", person_id=ids.gather(made["person"]), customer_id=ids.gather(made["payer"]))


def grants_table(till: Till, offers: Offers, people: People) -> pl.DataFrame:
    """The ``coupon_grants`` table; times in seconds of the window; one grant per coupon and customer."""
    frame = pl.DataFrame(
        {
            "coupon_id": offers.coupons["coupon_id"].gather(offers.grant_coupon),
            "customer_id": pl.Series(people.ids).gather(offers.grant_person),
            "granted_at": offers.grant_second,
            "channel": pl.Series(CHANNELS).gather(offers.grant_channel),
            "grant": np.arange(len(offers.grant_coupon)),
        }
    )
    used = till.redeemed.select(
        "grant", redeemed_at="at", redeemed_channel=pl.Series(["store", "ec", "app"]).gather(till.redeemed["channel"])
    )
    return frame.join(used, on="grant", how="left", maintain_order="left").drop("grant")
