"""``osusume surveys``: who is due to be asked, their links for whoever sends the mail, and what came back."""

from __future__ import annotations

import csv
import secrets
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import orjson
import segno
from sqlalchemy.orm import Session

from clerk_ui.commands.console import Desk, at_desk
from clerk_ui.security import kept_secret
from journey.database import reading, writing
from journey.errors import InputError, Unavailable
from journey.questionnaires import published_version, versions
from journey.survey_invitations import answered_share, contact_hashes, make_invitations
from journey.survey_tasks import open_tasks_of_low_scores

COLUMNS = ("survey_id", "customer_id", "contact_hash", "store_id", "link", "expires_at", "qr")
FOLLOWED_BACK = timedelta(days=7)
WEBHOOK_SECONDS = 30


@click.group()
def surveys_command() -> None:
    """Make the invitations that are due, and tell how surveys stand."""


@surveys_command.command("send")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="The delivery file: CSV, one link a row.")
@click.option("--webhook", default=None, help="POST the rows as JSON to this address instead.")
@click.option("--base", default=None, help="Where customers reach us; default: OSUSUME_PUBLIC_URL.")
@click.option("--survey", "survey_id", default=None, help="Only this survey.")
@click.option("--qr", type=click.Path(path_type=Path, file_okay=False), help="Also draw each link as a QR code here.")
@at_desk
def surveys_send(
    desk: Desk, out: Path | None, webhook: str | None, base: str | None, survey_id: str | None, qr: Path | None
) -> None:
    """Invite whom the published questionnaires are due to ask, and open the follow-ups of low scores; for cron.

    Links work once and are told only here. Nothing is kept where the file cannot be written or the webhook refuses.
    """
    if (out is None) == (webhook is None):
        raise InputError("where to?", where="surveys send", what_to_do="give --out FILE or --webhook URL")
    if webhook is not None and not webhook.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise InputError("links are secrets", where="--webhook", what_to_do="use an https:// address")
    base = (base or desk.settings.web.public_url).rstrip("/")
    if not base.startswith(("https://", "http://")):
        raise InputError("no address for the links", where="--base", what_to_do="give it, or set OSUSUME_PUBLIC_URL")
    if out is not None and out.exists():
        raise InputError("is there already", where=str(out), what_to_do="name a new file; old links must not be resent")
    draft = None if out is None else out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    with writing(desk.engine) as session:
        rows, invited = _invite(desk, session, base, survey_id)
        follow_ups = _follow_up(desk, session)
        if qr is not None:
            _draw(qr, rows)
        if draft is not None:
            _write(draft, rows)
        elif webhook is not None and rows:
            _post(webhook, rows)
    if draft is not None and out is not None:
        draft.replace(out)
    document = {"invited": invited, "links": len(rows), "follow_ups": follow_ups, "out": str(out or webhook)}
    desk.show(document, lambda: desk.say(f"{len(rows):,} links → {out or webhook}; {follow_ups:,} follow-ups opened"))


@surveys_command.command("list")
@at_desk
def surveys_list(desk: Desk) -> None:
    """List questionnaires with their versions, and how many were asked and answered."""
    with reading(desk.engine) as session:
        rows = []
        for version in versions(session):
            asked, answered = answered_share(session, version.survey_id)
            rows.append(
                {"survey_id": version.survey_id, "version": version.version, "state": version.state,
                 "name": version.name, "kind": version.kind, "asked": asked, "answered": answered}
            )  # fmt: skip
    desk.show({"surveys": rows}, lambda: desk.table(rows, list(rows[0]) if rows else []))


def _invite(
    desk: Desk, session: Session, base: str, survey_id: str | None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    secret = desk.settings.web.secret_key or kept_secret(desk.home)
    names = [survey_id] if survey_id else sorted({v.survey_id for v in versions(session) if v.state == "published"})
    rows: list[dict[str, Any]] = []
    invited: dict[str, int] = {}
    for name in names:
        questionnaire = published_version(session, name)
        if questionnaire is None:
            raise InputError("nothing is published", where=name, what_to_do="publish its draft on /coe/surveys")
        made = make_invitations(
            session, questionnaire, secret=secret, now=desk.now, timezone=desk.settings.chain.timezone,
            consent_by_default=desk.settings.chain.consent_default == "allowed",
        )  # fmt: skip
        invited[name] = len(made)
        rows += [
            {"survey_id": name, "customer_id": invitation.customer_id, "store_id": invitation.store_id,
             "link": f"{base}/survey/{token}", "expires_at": invitation.expires_at.isoformat()}
            for invitation, token in made
        ]  # fmt: skip
    hashes = contact_hashes(session, [row["customer_id"] for row in rows])
    return [row | {"contact_hash": hashes.get(row["customer_id"])} for row in rows], invited


def _follow_up(desk: Desk, session: Session) -> int:
    """Low scores that came by file or API since the last days; those of our own page were opened at the tap."""
    return sum(
        open_tasks_of_low_scores(
            session, version, since=desk.now - FOLLOWED_BACK, now=desk.now, timezone=desk.settings.chain.timezone
        )
        for version in versions(session)
        if version.state == "published"
    )


def _draw(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Each link as an SVG for a receipt or a card; the row names its file."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for row in rows:
        row["qr"] = f"{secrets.token_hex(8)}.svg"
        segno.make(row["link"], error="m").save(str(folder / row["qr"]), scale=4)


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            path.chmod(0o600)
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InputError(error.strerror or "cannot be written", where=str(path.parent)) from error


def _post(address: str, rows: list[dict[str, Any]]) -> None:
    request = urllib.request.Request(  # noqa: S310 - the operator names the address; its scheme was checked
        address, data=orjson.dumps({"invitations": rows}), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS) as answer:  # noqa: S310 - as above
            answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise Unavailable(f"the webhook did not take the links: {error}", where="--webhook") from error
