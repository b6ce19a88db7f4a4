"""Identities: cards, app accounts, cookies, EC accounts and hashes, and when each was linked to its customer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from journey.simulation.days import DAY_SECONDS, Days
from journey.simulation.laws import Laws
from journey.simulation.people import People
from journey.simulation.products import I, jan_code


@dataclass(frozen=True)
class Links:
    """Identifiers per person ("" where the person has none) and their linking times."""

    card: list[str]
    cookie: list[str]
    app: list[str]
    cookie_linked: I  # second of the window, or a large number where it never is
    table: pl.DataFrame  # kind, value, person, linked (second; null where never)


NEVER = 10**12


def make_links(people: People, days: Days, laws: Laws, rng: np.random.Generator) -> Links:
    """Gives every person identifiers; some linked late, some never."""
    n = people.n
    salt = str(int(rng.integers(1 << 40)))

    def digest(kind: str, i: int, length: int) -> str:
        return hashlib.sha256(f"{salt}{kind}{i}".encode()).hexdigest()[:length]

    start = people.joined * DAY_SECONDS + rng.integers(9 * 3600, 20 * 3600, n)
    card = [jan_code(f"27{i * 7919 % 10**10:010d}") if h else "" for i, h in enumerate(people.has_card)]
    card = [f"00{c[2:]}" if i % 50 == 7 and c else c for i, c in enumerate(card)]  # leading zeros count
    cookie = [f"v{digest('cookie', i, 20)}" if h else "" for i, h in enumerate(people.has_web)]
    app = [f"a{digest('app', i, 20)}" if h else "" for i, h in enumerate(people.has_app)]
    account = [f"ec{100_000 + i}" if h else "" for i, h in enumerate(people.has_ec)]
    email = [digest("mail", i, 64) if h else "" for i, h in enumerate(rng.random(n) < 0.72)]
    phone = [digest("phone", i, 64) if h else "" for i, h in enumerate(rng.random(n) < 0.55)]
    frames = []
    cookie_linked = np.full(n, NEVER, dtype=np.int64)
    for kind, values in (
        ("card", card), ("app", app), ("cookie", cookie),
        ("ec_account", account), ("email_hash", email), ("phone_hash", phone),
    ):  # fmt: skip
        later = rng.integers(0, days.n * DAY_SECONDS, n)
        after = start if kind == "card" else np.minimum(start + rng.integers(0, 400, n) * DAY_SECONDS, later)
        linked = np.where(rng.random(n) < laws.late_link_share, np.maximum(later, start), np.maximum(after, start))
        never = np.arange(n) >= people.members
        if kind == "cookie":
            never = never | (rng.random(n) < laws.never_link_share)
            cookie_linked = np.where(never, NEVER, linked)
        frames.append(
            pl.DataFrame({"kind": kind, "value": values, "person": np.arange(n), "linked": linked})
            .with_columns(linked=pl.when(pl.Series(never)).then(None).otherwise(pl.col("linked")))
            .filter(pl.col("value") != "")
        )
    return Links(card, cookie, app, cookie_linked, pl.concat(frames))


def one_id_table(people: People, links: Links) -> pl.DataFrame:
    """Truth: every identifier of every person, also the never linked and the spouse's card."""
    ids = np.array(people.ids)
    own = links.table.select(
        person_id=pl.Series(ids[links.table["person"].to_numpy()]),
        customer_id=pl.Series(ids[links.table["person"].to_numpy()]),
        kind="kind",
        value="value",
        linked=pl.col("linked").is_not_null(),
        shared=pl.lit(False),
    )
    spouses = np.flatnonzero(people.payer != np.arange(people.n))
    shared = pl.DataFrame(
        {
            "person_id": ids[spouses],
            "customer_id": ids[people.payer[spouses]],
            "kind": ["card"] * len(spouses),
            "value": [links.card[p] for p in people.payer[spouses]],
            "linked": [False] * len(spouses),
            "shared": [True] * len(spouses),
        },
        schema=own.schema,
    )
    ghosts = pl.col("person_id").str.starts_with("ghost")
    return pl.concat([own, shared]).with_columns(
        customer_id=pl.when(ghosts).then(None).otherwise(pl.col("customer_id"))
    )
