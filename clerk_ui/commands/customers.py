"""``osusume customer``: One ID, and the rights of the person behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import orjson

from clerk_ui.commands.console import JSON_OPTIONS, Desk, at_desk
from journey.customer_search import one_id
from journey.database import reading, writing
from journey.disclosure import export_customer
from journey.erasure import erase_customer
from journey.errors import InputError
from journey.identity import Identity, Merge
from journey.one_id import identities_of, merge, merges_of, split, unlink

ACTOR = "command line"


@click.group()
def customer_command() -> None:
    """One ID, and the rights of the person behind it."""


@customer_command.command("show")
@click.argument("customer_id")
@at_desk
def customer_show(desk: Desk, customer_id: str) -> None:
    """Show which identifiers lead to a customer, and the merges that made the One ID."""
    with reading(desk.engine) as session:
        person = one_id(session, customer_id)
        document: dict[str, Any] = {
            "customer_id": customer_id,
            "one_id": person,
            "identities": [_identity(identity) for identity in identities_of(session, person)],
            "merges": [_merge(made) for made in merges_of(session, customer_id)],
        }

    def readable() -> None:
        desk.say(f"{customer_id}" + (f" → One ID {person}" if person != customer_id else ""))
        desk.table(document["identities"], ["kind", "value", "linked_at", "delivered_for"], title="identifiers")
        desk.table(document["merges"], ["merge_id", "survivor", "merged", "by", "at", "undone_at"], title="merges")

    desk.show(document, readable)


@customer_command.command("merge")
@click.argument("survivor")
@click.argument("merged")
@click.option("--why", required=True, help="The evidence; kept with the merge.")
@at_desk
def customer_merge(desk: Desk, survivor: str, merged: str, why: str) -> None:
    """Declare MERGED to be the same person as SURVIVOR; everything of both leads to the survivor. Reversible."""
    with writing(desk.engine) as session:
        document = _merge(merge(session, survivor, merged, actor=ACTOR, now=desk.now, evidence={"why": why}))
    desk.forget_online()
    desk.show(document, lambda: desk.say(f"merge {document['merge_id']}: {merged} → {survivor}"))


@customer_command.command("split")
@click.argument("customer_id")
@at_desk
def customer_split(desk: Desk, customer_id: str) -> None:
    """Take back the latest merge of this customer; everything returns to whom it was delivered for."""
    with writing(desk.engine) as session:
        document = _merge(split(session, customer_id, actor=ACTOR, now=desk.now))
    desk.forget_online()
    desk.show(document, lambda: desk.say(f"undone: {document['merged']} is apart from {document['survivor']} again"))


@customer_command.command("unlink")
@click.argument("kind")
@click.argument("value")
@at_desk
def customer_unlink(desk: Desk, kind: str, value: str) -> None:
    """Take an identifier (KIND such as cookie or app, and its VALUE) from its customer; what hung on it alone is
    anonymous again.
    """
    with writing(desk.engine) as session:
        facts = unlink(session, kind, value, actor=ACTOR, now=desk.now)
    desk.forget_online()
    document = {"kind": kind, "value": value, "facts": facts}
    desk.show(document, lambda: desk.say(f"{facts:,} facts are anonymous again"))


@customer_command.command("export")
@click.argument("customer_id")
@click.option("--out", default=None, type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
@at_desk
def customer_export(desk: Desk, customer_id: str, out: Path | None) -> None:
    """Write all that is held on a person as one JSON document."""
    with reading(desk.engine) as session:
        document = export_customer(session, customer_id)
    content = orjson.dumps(document, default=str, option=JSON_OPTIONS)
    if out is None:
        desk.say(content.decode())
        return
    out.write_bytes(content + b"\n")
    rows = {table: len(entries) for table, entries in document.items() if isinstance(entries, list)}
    desk.show({"out": str(out), "rows": rows}, lambda: desk.say(f"{out}: {sum(rows.values()):,} rows"))


@customer_command.command("erase")
@click.argument("customer_id")
@click.option("--yes", is_flag=True, help="Do not ask.")
@at_desk
def customer_erase(desk: Desk, customer_id: str, yes: bool) -> None:
    """Erase a person everywhere; receipts stay, without anybody. Cannot be undone."""
    if not yes:
        if desk.json:
            raise InputError("erasing cannot be undone", where="customer erase", what_to_do="add --yes")
        click.confirm(f"Erase {customer_id} for good?", abort=True)
    with writing(desk.engine) as session:
        summary = erase_customer(session, customer_id, actor=ACTOR, now=desk.now)
    from journey.lake import refresh
    from recommender.forgetting import forget_customers
    from recommender.registry import Registry

    refresh(desk.engine, desk.home, timezone=desk.settings.chain.timezone)
    models = forget_customers(Registry(desk.home), summary.customer_ids)
    desk.forget_online()
    document = {
        "customer_id": customer_id,
        "anonymised": summary.anonymised,
        "removed": summary.removed,
        "models": models,
    }
    counts = sum(summary.anonymised.values()), sum(summary.removed.values())
    desk.show(
        document,
        lambda: desk.say(f"{counts[0]:,} rows made anonymous, {counts[1]:,} removed, {models} model versions cleared"),
    )


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "kind": identity.kind,
        "value": identity.value,
        "linked_at": identity.linked_at,
        "delivered_for": identity.customer_ref,
    }


def _merge(made: Merge) -> dict[str, Any]:
    return {
        "merge_id": made.merge_id,
        "survivor": made.survivor_id,
        "merged": made.merged_id,
        "by": made.merged_by,
        "at": made.merged_at,
        "evidence": made.evidence,
        "undone_at": made.undone_at,
    }
