"""Events outside sessions: mails sent and opened, invitations to surveys, check-ins at the store's door."""

from __future__ import annotations

import numpy as np
import polars as pl

from journey.simulation.chain import Mails
from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.laws import Laws
from journey.simulation.links import Links
from journey.simulation.occasions import STORE, Occasions
from journey.simulation.people import People
from journey.simulation.products import Products
from journey.simulation.stores import Stores


def _visitor(links: Links) -> pl.Series:
    """The cookie of each person, or the app's id where there is none."""
    cookie, app = pl.Series("cookie", links.cookie), pl.Series("app", links.app)
    return cookie.zip_with(cookie != "", app)


def mail_events(mails: Mails, people: People, links: Links, products: Products) -> pl.DataFrame:
    """``mail_sent`` and ``mail_open`` of campaign mails; times in seconds of the window."""
    number = pl.Series("day", mails.sent // DAY_SECONDS).cast(pl.String).str.zfill(4)
    frame = pl.DataFrame(
        {
            "visitor_id": _visitor(links).gather(mails.person),
            "customer_id": pl.Series(people.ids).gather(mails.person),
            "product_id": pl.Series(products.ids).gather(mails.product),
            "content_id": "MAIL" + number,
            "sent": mails.sent,
            "opened_at": mails.opened_at,
            "opened": mails.opened,
        }
    )
    return _sent_and_opened(frame, ("visitor_id", "customer_id", "product_id", "content_id"))


def invitation_events(
    invited: pl.DataFrame, people: People, links: Links, days: Days, rng: np.random.Generator
) -> pl.DataFrame:
    """Invitations to surveys, as ``mail_sent`` with content_id ``SURVEY-…``: what a response rate divides by.

    ``invited`` holds person, survey_id, asked_at (seconds of the window) and answered.
    """
    opened = invited["answered"].to_numpy() | (rng.random(invited.height) < 0.15)
    frame = invited.select(
        visitor_id=_visitor(links).gather(invited["person"]),
        customer_id=pl.Series(people.ids).gather(invited["person"]),
        content_id=pl.concat_str(pl.lit("SURVEY-"), "survey_id"),
        sent="asked_at",
        opened_at=pl.col("asked_at") + 20,
        opened=pl.Series(opened),
    ).filter((pl.col("visitor_id") != "") & (pl.col("sent") < days.n * DAY_SECONDS))
    return _sent_and_opened(frame, ("visitor_id", "customer_id", "content_id"))


def _sent_and_opened(frame: pl.DataFrame, both: tuple[str, ...]) -> pl.DataFrame:
    sent = frame.select(*both, occurred_at="sent", kind=pl.lit("mail_sent"))
    opened = frame.filter("opened").select(*both, occurred_at="opened_at", kind=pl.lit("mail_open"))
    return pl.concat([sent, opened])


def checkin_events(
    occasions: Occasions, people: People, links: Links, stores: Stores, laws: Laws, rng: np.random.Generator
) -> pl.DataFrame:
    """``checkin`` of app holders as they enter; the page names the store."""
    known = np.maximum(occasions.person, 0)
    could = (occasions.person >= 0) & (occasions.channel == STORE) & people.has_app[known]
    rows = np.flatnonzero(could & (rng.random(len(could)) < laws.checkin_share))
    who = occasions.person[rows]
    return pl.DataFrame(
        {
            "occurred_at": occasions.second[rows] + rng.integers(0, 40, len(rows)),
            "visitor_id": pl.Series(links.app).gather(who),
            "customer_id": pl.Series(people.ids).gather(who),
            "kind": ["checkin"] * len(rows),
            "page": pl.Series(stores.ids).gather(occasions.store[rows]),
        }
    )
