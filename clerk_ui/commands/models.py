"""``osusume train`` and ``models``: from the record to a version, and which one serves."""

from __future__ import annotations

import resource
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import click

from clerk_ui.commands.console import Desk, at_desk
from journey.audit import record_act
from journey.database import writing
from journey.errors import ModelRefused, NotFound, Unavailable
from recommender.registry import Comparison, Registry
from recommender.tracking import flat, numbers
from recommender.training_lock import running

FIGURES_SHOWN = 60


class Moment(click.ParamType[datetime]):
    """A time: ISO 8601, or a date, which means 00:00 that day in the chain's zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 time", param, ctx)


def localised(desk: Desk, moment: datetime | None) -> datetime | None:
    """A time without an offset is local to the chain."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=ZoneInfo(desk.settings.chain.timezone)).astimezone(UTC)


def peak_memory_mb() -> float:
    """The most memory this process has held."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def tracked(desk: Desk, version: str, command: str) -> dict[str, str] | None:
    """Log the version to MLflow where a tracking server is named; what it cannot take spoils no training."""
    uri = desk.settings.storage.mlflow_tracking_uri
    if not uri:
        return None
    from recommender.tracking import log_run

    registry = Registry(desk.home)
    try:
        run = log_run(uri, registry.show(version), command=command, promoted=registry.current_version() == version)
    except Unavailable as error:
        click.echo(f"osusume: {error.sentence}", err=True)
        return {"uri": uri, "error": error.sentence}
    return {"uri": uri, "run_id": run}


def told_stage(desk: Desk, stage: str, seconds: float) -> None:
    """Say on stderr which stage of a training begins, and when."""
    desk.progress(f"{seconds:7.1f} s  {stage}")


@click.command()
@click.option("--as-of", default=None, type=Moment(), help="Only what was known before; default now.")
@click.option("--seed", default=0, show_default=True, type=int, help="The same data and seed give the same model.")
@click.option("--budget", default=None, type=click.FloatRange(0.1), help="Minutes to spend at most, about.")
@at_desk
def train_command(desk: Desk, as_of: datetime | None, seed: int, budget: float | None) -> None:
    """Train a new model version; the first one of an empty registry is promoted at once."""
    from recommender.record import load_dataset
    from recommender.training import train
    from recommender.training_lock import one_training

    registry = Registry(desk.home)
    with one_training(registry.models, "train", now=desk.now) as note:

        def tell(stage: str, seconds: float) -> None:
            note.stage(stage)
            told_stage(desk, stage, seconds)

        tell("reading the record", 0.0)
        dataset = load_dataset(
            desk.engine, desk.home, as_of=localised(desk, as_of), now=desk.now, timezone=desk.settings.chain.timezone
        )
        model = train(dataset, seed=seed, budget_minutes=budget, progress=tell)
        version = registry.add(model, now=desk.now)
    document = {
        "version": version,
        "current": registry.current_version() == version,
        "cut_off": model.cut_off,
        "rows": model.rows,
        "seconds": dict(model.stage_seconds),
        "peak_memory_mb": peak_memory_mb(),
        "metrics": dict(model.metrics),
        "tracking": tracked(desk, version, "train"),
    }

    def readable() -> None:
        state = "serves now" if document["current"] else f"waits: osusume models promote {version}"
        total = sum(model.stage_seconds.values())
        desk.say(f"{version} from {model.rows:,} rows in {total:.0f} s, {peak_memory_mb():,.0f} MB – {state}")

    desk.show(document, readable)


@click.group()
def models_command() -> None:
    """List, show, promote and roll back model versions."""


@models_command.command("list")
@at_desk
def models_list(desk: Desk) -> None:
    """List versions with their figures; the one that serves is marked."""
    registry = Registry(desk.home)
    versions = registry.versions()
    rows = [
        {"version": v["version"], "serves": v["current"], "cut_off": str(v.get("cut_off"))[:16], "rows": v.get("rows")}
        | {k: m for k, m in v.get("metrics", {}).items() if isinstance(m, float)}
        for v in versions
    ]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    note = running(registry.models)
    document = {"versions": versions, "history": registry.history(), "running": note}

    def readable() -> None:
        desk.table(rows, columns)
        if not rows:
            desk.say("no version yet – run: osusume train")
        if note is not None:
            desk.say(f"a {note.get('what')} runs now (process {note.get('pid')}): {note.get('stage')}")

    desk.show(document, readable)


@models_command.command("show")
@click.argument("version", required=False)
@at_desk
def models_show(desk: Desk, version: str | None) -> None:
    """Show a version's manifest; default: the one that serves."""
    registry = Registry(desk.home)
    version = version or registry.current_version()
    if version is None:
        raise NotFound("no model has been promoted", where=str(registry.models), what_to_do="run: osusume train")
    manifest = registry.show(version)
    told = {k: v for k, v in manifest.items() if k not in ("files", "metrics", "parameters")}
    rows = [{"name": k, "value": str(v)[:150]} for k, v in told.items()]
    rows += [{"name": f"metrics.{k}", "value": f"{v:g}"} for k, v in numbers(manifest["metrics"])][:FIGURES_SHOWN]
    rows += [{"name": f"parameters.{k}", "value": str(v)[:150]} for k, v in flat(manifest["parameters"]).items()]
    desk.show(manifest, lambda: desk.table(rows, ["name", "value"]))


@models_command.command("promote")
@click.argument("version")
@click.option("--force", is_flag=True, help="Also where it is worse; that is logged.")
@click.option("--why", default="", help="The reason, kept in the history and in the audit log.")
@at_desk
def models_promote(desk: Desk, version: str, force: bool, why: str) -> None:
    """Put a version into use, unless it is worse than the current one on the same evaluation (exit 1)."""
    registry = Registry(desk.home)
    before, comparison = registry.current_version(), _comparison(desk, version)
    try:
        registry.promote(version, now=desk.now, force=force, by="command line", why=why, comparison=comparison)
    except ModelRefused as refused:
        audit_act(desk, "model.refused", version, dict(refused.facts))
        told = {"version": version, "current": False, "before": before, "refused": refused.sentence}
        desk.show(told | {"comparison": dict(refused.facts)}, lambda: None)
        raise
    audit_act(desk, "model.promoted", version, {"force": force, "why": why})
    document = {
        "version": version,
        "current": True,
        "before": before,
        "comparison": None if comparison is None else vars(comparison),
    }
    desk.show(document, lambda: desk.say(f"{version} serves now"))


@models_command.command("rollback")
@at_desk
def models_rollback(desk: Desk) -> None:
    """Return to the version that served before."""
    registry = Registry(desk.home)
    before = registry.current_version()
    version = registry.rollback(now=desk.now, by="command line")
    audit_act(desk, "model.rolled_back", version, {})
    desk.show({"version": version, "current": True, "before": before}, lambda: desk.say(f"{version} serves again"))


@models_command.command("inputs")
@at_desk
def models_inputs(desk: Desk) -> None:
    """Compare the last two weeks with what the serving version was trained on; the CoE's page shows the same."""
    from journey.lake import refresh
    from recommender.drift import keep, measure

    registry = Registry(desk.home)
    cut_off = registry.load().cut_off
    refresh(desk.engine, desk.home, timezone=desk.settings.chain.timezone)
    document = measure(desk.home, cut_off, at=desk.now)
    keep(registry.models, document)

    def readable() -> None:
        desk.table(document["shifts"], ["name", "level", "psi", "noise", "n_then", "n_now"])
        desk.table(document["rates"], ["name", "level", "then", "now", "ratio", "low", "high"])

    desk.show(document, readable)


def audit_act(desk: Desk, action: str, version: str, detail: dict[str, Any]) -> None:
    """Leave a promotion or rollback in the audit log."""
    with writing(desk.engine) as session:
        record_act(
            session, at=desk.now, actor="command line", action=action, subject_kind="model", subject_id=version,
            detail=detail,
        )  # fmt: skip


def _comparison(desk: Desk, version: str) -> Comparison | None:
    """A fresh measurement of this version and the current one, where customers bought after both were trained."""
    from journey.lake import refresh
    from recommender.guard import fresh_comparison

    refresh(desk.engine, desk.home, timezone=desk.settings.chain.timezone)
    return fresh_comparison(Registry(desk.home), version, desk.home)
