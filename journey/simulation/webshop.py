"""The web events of the extract: sessions spelled out, EC and app orders, and which session led to what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.browsing import MAIL, VIEWS, Sessions
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.links import Links
from journey.simulation.occasions import STORE
from journey.simulation.people import B, People
from journey.simulation.products import I, Products
from journey.simulation.tills import Till

KINDS = (
    "view", "search", "cart", "favorite", "purchase", "content_view", "recommend_click",
    "mail_sent", "mail_open", "checkin",
)  # fmt: skip
_KIND = {name: i for i, name in enumerate(KINDS)}
_ARTICLES = 40


@dataclass(frozen=True)
class Visitors:
    """Per session: the device it came from and whether the visitor was logged in."""

    visitor: pl.Series
    customer: pl.Series
    app: B


def _piece(kind: str, session: I, second: I, product: I | None = None) -> pl.DataFrame:
    product = np.full(len(session), -1) if product is None else product
    return pl.DataFrame(
        {
            "kind": np.full(len(session), _KIND[kind]),
            "session": session,
            "second": second,
            "product": product.astype(np.int64),
        }
    )


def session_events(sessions: Sessions, rng: np.random.Generator) -> tuple[pl.DataFrame, I, I, I]:
    """(events, person, second, started_by) of the browsing sessions; events hold numbers instead of ids."""
    person, second = np.concatenate(sessions.person), np.concatenate(sessions.second)
    views, wanted = np.concatenate(sessions.views), np.concatenate(sessions.wanted)
    started = np.concatenate(sessions.started_by)
    n = len(person)
    pause = np.cumsum(rng.integers(15, 110, (n, VIEWS)), axis=1)
    row, column = np.nonzero(views >= 0)
    at = second[row] + pause[row, column]
    looked = views[row, column]
    is_wanted = wanted[row] == column
    draw = rng.random(len(row))
    cart = np.where(is_wanted, draw < 0.45, draw < 0.05)
    favorite = np.where(is_wanted, (draw >= 0.45) & (draw < 0.68), (draw >= 0.05) & (draw < 0.08))
    clicked = (column > 0) & (rng.random(len(row)) < 0.12)
    searches = np.flatnonzero(rng.random(n) < 0.32)
    reads = np.flatnonzero(rng.random(n) < 0.14)
    events = pl.concat(
        [
            _piece("view", row, at, looked),
            _piece("cart", row[cart], at[cart] + 9, looked[cart]),
            _piece("favorite", row[favorite], at[favorite] + 7, looked[favorite]),
            _piece("recommend_click", row[clicked], at[clicked] - 2, looked[clicked]),
            _piece("search", searches, second[searches] + 6, views[searches, 0]),
            _piece("content_view", reads, second[reads] + pause[reads, -1] + 30),
        ]
    )
    return events, person, second, started


def order_events(till: Till, first_session: int, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(events, orders) of the sessions in which EC and app orders were made, one row of ``orders`` per session."""
    lines = till.lines.filter((pl.col("channel") != STORE) & ~pl.col("returned"))
    orders = lines.group_by("occasion", maintain_order=True).agg(
        person=pl.col("person").first(), paid=pl.col("second").min()
    )
    orders = orders.with_columns(session=first_session + pl.int_range(pl.len()))
    orders = orders.with_columns(second=pl.col("paid") - pl.Series(rng.integers(240, 1500, orders.height)))
    lines = lines.join(
        orders.select("occasion", "session", began="second", paid="paid"), on="occasion", maintain_order="left"
    )
    lines = lines.with_columns(share=pl.Series(rng.random(lines.height)) * 0.8)
    at = (lines["began"] + ((lines["paid"] - lines["began"]) * lines["share"]).cast(pl.Int64)).to_numpy()
    session, product = lines["session"].to_numpy(), lines["product"].to_numpy()
    bought = lines["paid"].to_numpy()
    events = pl.concat(
        [
            _piece("view", session, at, product),
            _piece("cart", session, at + 8, product),
            _piece("purchase", session, bought, product),
        ]
    )
    return events, orders


def web_events_table(
    sessions: Sessions, till: Till, notices: list[pl.DataFrame], people: People, links: Links, products: Products,
    days: Days, rng: np.random.Generator,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """(web_events, links from sessions to receipt lines); times in seconds of the window."""
    events, person, second, started = session_events(sessions, rng)
    bought, orders = order_events(till, len(person), rng)
    person = np.concatenate([person, orders["person"].to_numpy()])
    second = np.concatenate([second, orders["second"].to_numpy()])
    started = np.concatenate([started, np.full(orders.height, 2)])
    visitors = _visitors(person, second, started == 2, people, links, rng)
    events = pl.concat([events, bought])
    s, p = events["session"].to_numpy(), events["product"].to_numpy()
    kind = events["kind"].to_numpy()
    goods, none = len(products.ids), pl.Series([None], dtype=pl.String)
    has_product = (p >= 0) & (kind != _KIND["search"])
    searches, reads = kind == _KIND["search"], kind == _KIND["content_view"]
    article = rng.zipf(1.5, len(s)) % _ARTICLES
    articles = [f"A{i + 1:03d}" for i in range(_ARTICLES)]
    pages = [f"/products/{i}" for i in products.ids] + ["/cart", "/order", "/search"]
    page = np.select(
        [kind == _KIND["cart"], kind == _KIND["purchase"], searches, reads],
        [goods, goods + 1, goods + 2, goods + 3 + article],
        np.maximum(p, 0),
    )
    come_from = np.where(started == MAIL, 2, rng.choice(2, len(started), p=[0.6, 0.4]))
    arrives = events["second"].to_numpy() <= second[s] + 120
    named = pl.DataFrame(
        {
            "occurred_at": events["second"],
            "visitor_id": visitors.visitor.gather(s),
            "session_id": _session_ids(len(person)).gather(s),
            "customer_id": visitors.customer.gather(s),
            "kind": pl.Series(KINDS).gather(kind),
            "product_id": pl.concat([pl.Series(products.ids), none]).gather(np.where(has_product, p, goods)),
            "content_id": pl.concat([pl.Series(articles), none]).gather(np.where(reads, article, _ARTICLES)),
            "page": pl.Series(pages + [f"/magazine/{a}" for a in articles]).gather(page),
            "query": pl.concat([pl.Series(products.noun), none]).gather(np.where(searches, p, goods)),
            "referrer": pl.Series(["direct", "search", "mail", None]).gather(np.where(arrives, come_from[s], 3)),
        }
    )
    table = pl.concat(
        [
            named,
            *notices,
        ],
        how="diagonal_relaxed",
    )
    table = table.filter(pl.col("occurred_at") < days.n * DAY_SECONDS).sort("occurred_at", maintain_order=True)
    number = pl.int_range(pl.len()).cast(pl.String).str.zfill(9)
    table = table.select(pl.concat_str(pl.lit("E"), number).alias("event_id"), pl.all())
    return table, _links(till, orders, len(person))


def _session_ids(n: int) -> pl.Series:
    return pl.select(pl.concat_str(pl.lit("W"), pl.int_range(n).cast(pl.String).str.zfill(8))).to_series()


def _visitors(person: I, second: I, order: B, people: People, links: Links, rng: np.random.Generator) -> Visitors:
    known = np.maximum(person, 0)
    stranger = person < 0
    has_app, has_web = people.has_app[known] & ~stranger, people.has_web[known] & ~stranger
    app = has_app & (~has_web | (rng.random(len(person)) < 0.4))
    nameless = rng.integers(0, max(1, round(stranger.sum() / 1.8)), len(person))
    passer_by = pl.concat_str(pl.lit("x"), pl.Series("x", nameless).cast(pl.String).str.zfill(8))
    visitor = pl.Series(links.app).gather(known).zip_with(pl.Series(app), pl.Series(links.cookie).gather(known))
    visitor = visitor.zip_with(pl.Series(~stranger), pl.select(passer_by).to_series())
    linked = links.cookie_linked[known] <= second
    logged_in = ~stranger & (app | order | (linked & (rng.random(len(person)) < 0.35)))
    customer = pl.Series(people.ids).gather(known).zip_with(
        pl.Series(logged_in), pl.Series([None], dtype=pl.String).extend_constant(None, len(person) - 1)
    ) if len(person) else pl.Series([], dtype=pl.String)  # fmt: skip
    return Visitors(visitor, customer, app)


def _links(till: Till, orders: pl.DataFrame, n_sessions: int) -> pl.DataFrame:
    """Truth: session → receipt line; ``how`` is same, substitute (another of its kind) or order (in the session)."""
    led = till.lines.filter((pl.col("origin") >= 0) & ~pl.col("returned")).select(
        "receipt", "line_no", session="origin", seen="seen", product="product",
        how=pl.when(pl.col("seen") == pl.col("product")).then(pl.lit("same")).otherwise(pl.lit("substitute")),
    )  # fmt: skip
    direct = (
        till.lines.filter((pl.col("channel") != STORE) & ~pl.col("returned"))
        .join(orders.select("occasion", "session"), on="occasion", maintain_order="left")
        .select("receipt", "line_no", "session", seen="product", product="product", how=pl.lit("order"))
    )
    both = pl.concat([led, direct])
    return both.with_columns(session_id=_session_ids(n_sessions)[both["session"]])
