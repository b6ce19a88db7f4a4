"""Focus lists at the edge: made at night (``osusume focus``, and after every retraining), kept for the screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from typing import Any

from sqlalchemy import Engine

from analytics.experiments import qini
from clerk_ui.recommendations import policy_of
from clerk_ui.settings import Settings
from journey.analysis_results import keep_result
from journey.customers import present_customers, profiling_refused
from journey.database import reading, writing
from journey.dismissals import dismissed_pairs
from journey.lake import refresh
from journey.local_days import zone
from journey.products import sold_out
from journey.stores import stores

KIND = "focus"
EPOCH_DAY = date(1970, 1, 1)


def make_focus(
    engine: Engine, settings: Settings, *, now: datetime, say: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Make the lists of every campaign that runs today; keeps one result per store and one for the chain.

    Raises:
        Unavailable: no model has been promoted.
    """
    from recommender.catalogue import Catalogue
    from recommender.focus_lists import focus_lists, running
    from recommender.gathering import LoadedModel
    from recommender.registry import Registry
    from recommender.uplift import backtest, enough_for_uplift, fit_uplift
    from recommender.uplift_rows import UpliftFrames, uplift_rows

    began, home = perf_counter(), settings.storage.home
    timezone = settings.chain.timezone
    registry = Registry(home)
    model = registry.load()
    day = (now.astimezone(zone(None, timezone)).date() - EPOCH_DAY).days
    say("bringing the lake up to date")
    refresh(engine, home, timezone=timezone)
    frames = UpliftFrames.of_lake(home)
    say("learning whom a proposal moves")
    rows = uplift_rows(frames)
    effect = fit_uplift(rows) if enough_for_uplift(rows) else None
    judged = None if effect is None else backtest(rows)
    with reading(engine) as session:
        loaded = LoadedModel(str(registry.current_version()), model, Catalogue.read(session, model, now=now))
        by_default = settings.chain.consent_default == "refused"
        usable = present_customers(session) - profiling_refused(session, by_default=by_default)
        places = [store.store_id for store in stores(session)]
        gone = {store: sold_out(session, store) for store in places}
        put_aside = dismissed_pairs(session, now=now)
    basis = "probability" if effect is None else "uplift"
    by_store: dict[str, list[dict[str, Any]]] = {store: [] for store in places}
    summary: list[dict[str, Any]] = []
    for campaign in running(loaded.catalogue, day):
        say(f"{campaign.campaign_id} {campaign.name}")
        found = focus_lists(
            loaded, frames, campaign, effect, policy=policy_of(settings), usable=usable, sold_out=gone,
            dismissed=put_aside, day=day, now=now,
        )  # fmt: skip
        facts = {
            "campaign_id": campaign.campaign_id,
            "name": campaign.name,
            "first": EPOCH_DAY + timedelta(days=campaign.first_day),
            "last": EPOCH_DAY + timedelta(days=campaign.last_day),
            "basis": basis,
        }
        for store, proposals in found.items():
            by_store.setdefault(store, []).append(facts | {"proposals": [asdict(each) for each in proposals]})
        counted = [
            {
                "store_id": store,
                "customers": len(proposals),
                "better_left": sum(each.displaces_better for each in proposals),
                "expected": round(sum(max(each.uplift, 0.0) for each in proposals if not each.displaces_better), 2),
            }
            for store, proposals in found.items()
        ]
        summary.append(facts | {"stores": counted})
    document = {
        "campaigns": summary,
        "basis": basis,
        "control_rows": int((~rows["treated"]).sum()),
        "treated_rows": int(rows["treated"].sum()),
        "backtest": None if judged is None else _judged(judged),
        "version": loaded.version,
    }
    seconds = perf_counter() - began
    with writing(engine) as session:
        for store, campaigns in by_store.items():
            keep_result(
                session, KIND, {"store": store}, {"campaigns": campaigns}, computed_at=now, seconds=seconds,
                names_persons=True,
            )  # fmt: skip
        keep_result(session, KIND, {}, document, computed_at=now, seconds=seconds)
    return document | {"seconds": round(seconds, 2), "computed_at": now.astimezone(UTC)}


def _judged(judged: Any) -> dict[str, Any]:
    """Qini of both orders on the later part of the randomised log, with their intervals."""
    found: dict[str, Any] = {"rows": len(judged.treated), "held_out": int((~judged.treated).sum())}
    for name in ("uplift", "probability"):
        curve = qini(getattr(judged, name), judged.treated, judged.bought, replicates=100)
        found[name] = {"qini": curve.coefficient, "low": curve.low, "high": curve.high}
    return found
