"""``osusume recommend``: suggestions for many customers, or for anonymous contexts, as a CSV file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import polars as pl

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.commands.models import Moment, localised
from journey.customers import present_customers, profiling_refused
from journey.database import reading
from journey.errors import InputError, UnreadableFile
from journey.products import product_names, sold_out
from recommender.registry import Registry
from recommender.trained import TrainedModel


@click.command()
@click.option("--customers", default=None, help="A CSV with customer_id, or: all.")
@click.option("--contexts", default=None, type=click.Path(path_type=Path), help="A CSV with context_id and products.")
@click.option("--store", default=None, help="Leave out what this store has run out of.")
@click.option("--k", default=20, show_default=True, type=click.IntRange(1, 100))
@click.option("--kind", default="all", show_default=True, type=click.Choice(["all", "repeat", "explore"]))
@click.option("--as-of", default=None, type=Moment(), help="Train for this moment instead of using a stored version.")
@click.option("--version", default=None, help="Default: the promoted one.")
@click.option("--language", default="ja", show_default=True, type=click.Choice(["ja", "en"]), help="Of the reasons.")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="CSV, or CSV.gz.")
@at_desk
def recommend_command(
    desk: Desk, customers: str | None, contexts: Path | None, store: str | None, k: int, kind: str,
    as_of: datetime | None, version: str | None, language: str, out: Path,
) -> None:  # fmt: skip
    """Write suggestions for many customers or contexts to a CSV file."""
    if (customers is None) == (contexts is None):
        raise InputError("say for whom", where="recommend", what_to_do="give either --customers or --contexts")
    asked = None if customers in (None, "all") else read_column(Path(str(customers)), "customer_id")
    wanted = None if contexts is None else read_contexts(contexts)
    version, model = _model(desk, version, localised(desk, as_of))
    if wanted is not None:
        lists = _for_contexts(model, wanted, k)
    else:
        lists = _for_customers(desk, model, asked, store, k, kind, language)
    _write(lists, out)
    first = lists.columns[0]
    document = {
        "version": version, "out": str(out), "rows": len(lists), first.replace("_id", "s"): lists[first].n_unique(),
    }  # fmt: skip
    desk.show(document, lambda: desk.say(f"{out}: {len(lists):,} rows by {version}"))


def _model(desk: Desk, version: str | None, as_of: datetime | None) -> tuple[str, TrainedModel]:
    """A stored version; or one trained now on what was known before ``as_of``, and not kept."""
    registry = Registry(desk.home)
    if as_of is None:
        version = version or registry.current_version() or ""
        return version, registry.load(version or None)
    if version is not None:
        raise InputError("--as-of trains a model of its own", where="--version", what_to_do="leave one of them out")
    from recommender.record import load_dataset
    from recommender.training import train

    dataset = load_dataset(desk.engine, desk.home, as_of=as_of, now=desk.now, timezone=desk.settings.chain.timezone)
    return f"as of {as_of.isoformat()}", train(dataset, progress=lambda stage, s: desk.progress(f"{s:7.1f} s  {stage}"))


def _for_customers(
    desk: Desk, model: TrainedModel, asked: list[str] | None, store: str | None, k: int, kind: str, language: str
) -> pl.DataFrame:
    """The lists, less what the store has run out of; a few more are ranked so that k remain."""
    from recommender.batch_output import recommendations

    refused_by_default = desk.settings.chain.consent_default == "refused"
    with reading(desk.engine) as session:
        present = present_customers(session)
        refused = profiling_refused(session, by_default=refused_by_default)
        gone = sold_out(session, store) if store is not None else frozenset()
        names = product_names(session)
    if asked is None:
        asked = [customer for customer in model.customer_ids if customer in present]
    # who was erased or merged since the training is a stranger to us, whatever the model files still hold
    refused |= set(asked) - present
    lists = recommendations(
        model, asked, kind=kind, k=k + (50 if gone else 0),  # type: ignore[arg-type]
        refused=refused, names=names, language=language,
    )  # fmt: skip
    if gone:
        here = lists.filter(~pl.col("product_id").is_in(list(gone)))
        lists = here.with_columns(rank=pl.int_range(1, pl.len() + 1).over("customer_id")).filter(pl.col("rank") <= k)
    return lists


def _for_contexts(model: TrainedModel, contexts: pl.DataFrame, k: int) -> pl.DataFrame:
    from recommender.context_output import context_recommendations

    return context_recommendations(model, contexts, k=k)


def read_column(path: Path, column: str) -> list[str]:
    """One column of a CSV or CSV.gz file, as text."""
    return _read_csv(path, (column,))[column].to_list()


def read_contexts(path: Path) -> pl.DataFrame:
    """context_id and products (a list, in the order in which they were seen)."""
    frame = _read_csv(path, ("context_id", "products"))
    return frame.with_columns(
        pl.col("products").fill_null("").str.split("|").list.eval(pl.element().filter(pl.element() != ""))
    )


def _read_csv(path: Path, columns: tuple[str, ...]) -> pl.DataFrame:
    try:
        frame = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UnreadableFile(f"cannot be read ({reason})", where=str(path), what_to_do="give a UTF-8 CSV") from error
    frame = frame.rename({name: name.strip().removeprefix("\ufeff") for name in frame.columns})
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise UnreadableFile(
            f"no column {', '.join(missing)}", where=str(path), what_to_do=f"name the columns {', '.join(columns)}"
        )
    return frame.select(columns).filter(pl.col(columns[0]).is_not_null())


def _write(frame: pl.DataFrame, out: Path) -> None:
    """Write beside the place and rename: nobody reads half a file."""
    import gzip

    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.part")
    if out.suffix == ".gz":
        with gzip.open(draft, "wb", compresslevel=5) as file:
            frame.write_csv(file)  # type: ignore[call-overload]
    else:
        frame.write_csv(draft)
    draft.replace(out)
