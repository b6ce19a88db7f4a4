"""``simulate``: the order of work, from laws to folder."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from journey.simulation import counters, floor, served, tills
from journey.simulation.chain import run_days
from journey.simulation.days import DAY_SECONDS, make_days
from journey.simulation.delivery import instants, write_extract
from journey.simulation.dirt import spoil
from journey.simulation.events import events_table, events_truth
from journey.simulation.laws import Laws
from journey.simulation.links import make_links, one_id_table
from journey.simulation.notices import checkin_events, invitation_events, mail_events
from journey.simulation.occasions import make_occasions
from journey.simulation.offers import make_offers
from journey.simulation.people import customers_table, make_people
from journey.simulation.products import make_leaves, make_products, products_table
from journey.simulation.stores import make_stores, stores_table
from journey.simulation.truth import drivers, operations, persons, rates, write_truth
from journey.simulation.voices import SURVEYS, make_voices
from journey.simulation.webshop import web_events_table

DEFAULT_END = date(2026, 10, 1)


def simulate(
    directory: Path,
    *,
    stores: int = 3,
    customers: int = 2000,
    clerks: int | None = None,
    products: int | None = None,
    days: int = 120,
    seed: int = 1,
    end: date | None = None,
    dirty_share: float = 0.001,
    laws: Laws | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, object]:
    """Writes an extract folder of an invented chain, and ``truth/`` beside its tables.

    ``stores`` counts stores with a door; one EC shop is added. ``clerks`` is the whole chain's (default: what a planner
    would hire for average hours), ``products`` about 1,500 unless given. ``end`` is the day after the last one. The
    same arguments give the same rows.
    ``progress`` is called with a stage and the share of it that is done. Returns rows per table, seconds, and figures.

    Raises ValueError where a size is not positive or the window is shorter than a week.
    """
    products = 1500 if products is None else products
    if stores < 1 or customers < 10 or days < 7 or products < 1 or (clerks is not None and clerks < stores):
        raise ValueError("simulate needs stores ≥ 1, customers ≥ 10, days ≥ 7, products ≥ 1 and a clerk per store")
    began = time.perf_counter()
    laws = laws or Laws()
    report = progress or (lambda stage, share: None)

    def stream(number: int) -> np.random.Generator:
        return np.random.default_rng([seed, number])

    calendar = make_days(end or DEFAULT_END, days, laws)
    report("people", 0.0)
    chain = make_stores(stores, stream(1))
    leaves = make_leaves(calendar)
    goods = make_products(products, leaves, calendar, stores, laws, stream(2))
    people = make_people(customers, calendar, chain, laws, stream(3))
    links = make_links(people, calendar, laws, stream(4))
    occasions, arrivals = make_occasions(people, calendar, chain, laws, stream(5))
    needed = floor.clerks_needed(occasions, calendar, chain, laws)
    if clerks is not None:
        share = clerks * needed / needed.sum()
        needed = np.maximum(1, np.floor(share)).astype(np.int64)
        for _ in range(clerks - int(needed.sum())):
            needed[int(np.argmax(share - needed))] += 1
    staff = floor.make_clerks(needed, len(leaves.tops), calendar, laws, stream(6))
    roster = floor.make_roster(staff, calendar, stream(7))
    report("floor", 0.0)
    service = floor.serve(occasions, staff, roster, laws, stream(8))
    offers = make_offers(calendar, people, goods, leaves, chain, laws, stream(9))
    sales, sessions, proposals, mails, pantry = run_days(
        calendar, people, goods, leaves, staff, occasions, service, offers, laws, stream(10), report
    )
    report("tables", 0.0)
    log = proposals.table()
    till = tills.ring_up(sales, occasions, people, goods, leaves, offers, chain, calendar, laws, stream(11))
    lines = tills.pos_lines_table(till, people, links, goods, offers, chain, staff, roster, calendar)
    voices = make_voices(occasions, service, people, staff, goods, chain, calendar, laws, stream(13))
    told = stream(21)
    notices = [
        mail_events(mails, people, links, goods),
        invitation_events(voices.invited, people, links, calendar, told),
        checkin_events(occasions, people, links, chain, laws, told),
    ]
    web, led = web_events_table(sessions, till, notices, people, links, goods, calendar, stream(12))
    within = pl.col("linked").is_not_null() & (pl.col("linked") < calendar.n * DAY_SECONDS)
    tables = {
        "stores": stores_table(chain),
        "clerks": floor.clerks_table(staff, chain, calendar, stream(14)),
        "products": products_table(goods, leaves, calendar),
        "customers": customers_table(people, calendar, chain),
        "identities": links.table.filter(within).select(
            "kind",
            "value",
            customer_id=pl.Series(people.ids).gather(links.table.filter(within)["person"]),
            linked_at="linked",
        ),
        "pos_lines": lines,
        "web_events": web,
        "stock": counters.stock_table(goods, leaves, chain, calendar, stream(15)),
        "coupons": offers.coupons,
        "coupon_grants": tills.grants_table(till, offers, people),
        "traffic": floor.traffic_table(occasions, calendar, chain),
        "shifts": floor.shifts_table(roster, staff, chain),
        "orders": counters.orders_table(occasions, people, chain, calendar, stream(16)),
        "contacts": counters.contacts_table(people, calendar, stream(17)),
        "suggestions": served.suggestions_table(log, people, goods, staff, chain),
        "outcomes": served.outcomes_table(log, staff, stream(18)),
        "surveys": pl.DataFrame(SURVEYS, schema=["survey_id", "name", "kind", "touchpoint"], orient="row"),
        "answers": voices.answers,
        "clerk_targets": offers.targets,
        "store_events": events_table(calendar, chain),
    }
    events = events_truth(tables["store_events"])
    tables = {name: instants(name, table, calendar) for name, table in tables.items()}
    clean_rows = {name: table.height for name, table in tables.items()}
    tables, dirty = spoil(tables, dirty_share, stream(19))
    report("writing", 0.0)
    write_extract(Path(directory), tables)
    receipts = till.lines.select("receipt", receipt_id=lines["receipt_id"]).unique("receipt", maintain_order=True)
    links_truth = led.join(receipts, on="receipt", how="left", maintain_order="left").select(
        "session_id", pl.Series(goods.ids).gather(led["seen"]).alias("viewed_product_id"), "receipt_id", "line_no",
        pl.Series(goods.ids).gather(led["product"]).alias("product_id"), "how",
    )  # fmt: skip
    setting = {
        "stores": stores, "customers": customers, "clerks": len(staff.ids), "products": len(goods.ids), "days": days,
        "seed": seed, "start": calendar.start.isoformat(), "end": calendar.date_of(days).isoformat(),
        "dirty_share": dirty_share,
    }  # fmt: skip
    write_truth(
        Path(directory),
        {
            "clerks": persons.clerks_truth(staff, log, chain, leaves, laws, stream(20)),
            "customers": persons.customers_truth(people, laws),
            "products": persons.products_truth(goods, leaves, laws),
            "true_rates": rates.true_rates(
                calendar, sales, occasions, pantry, people, goods, leaves, laws, stream(22)
            ),
            "uplift": persons.uplift_truth(log, people, laws),
            "acceptance": persons.acceptance_truth(log),
            "arrivals": operations.arrivals_truth(arrivals, chain),
            "days": operations.days_truth(calendar),
            "service": operations.service_truth(occasions, service, chain, laws),
            "web_links": links_truth,
            "drivers": drivers.drivers_truth(laws),
            "practices": drivers.practices_truth(log, laws),
            "actions": operations.actions_truth(calendar, chain, laws),
            "events": events,
            "comments": voices.comments,
            "asked": operations.asked_truth(voices.invited, calendar),
            "one_id": one_id_table(people, links),
            "borrowed_cards": tills.borrowed_table(till, receipts, people),
            "dirty": dirty,
        },
        laws,
        setting,
    )  # fmt: skip
    report("done", 1.0)
    return {
        "directory": str(directory),
        "setting": setting,
        "rows": {name: table.height for name, table in tables.items()},
        "clean_rows": clean_rows,
        "dirty": dirty.to_dicts(),
        "seconds": round(time.perf_counter() - began, 2),
    }
