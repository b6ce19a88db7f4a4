"""The voices page: what customers talk about, how it sounds, what changes, in their own words."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import render_template

from clerk_ui.auth.requirements import require_role
from clerk_ui.coe.kept import as_of, kept
from clerk_ui.coe.words import word
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.languages import current_language
from clerk_ui.management import frame, signed_in
from journey.audit import record_act

blueprint = APIBlueprint("voices", "clerk_ui.coe", enable_openapi=False)
SURE = 0.05


@blueprint.get("/coe/voice")
@require_role("coe")
def page() -> str:
    """The page; that somebody read customers' words is kept in the audit log."""
    stored = kept("voice")
    found = stored.document if stored else None
    themes = found["themes"] if found else []
    rising = [row for row in themes if row["q_value"] is not None and row["q_value"] <= SURE and row["change"] > 0]
    worst = max(themes, key=lambda row: row["negative"], default=None)
    between = "」「" if current_language() == "ja" else "”, “"
    if found:
        with writing() as session:
            record_act(session, at=request_time(), actor=f"account:{signed_in().account_id}", action="voices.read",
                       subject_kind="analysis", subject_id="voice")  # fmt: skip
    return render_template(
        "coe/voices.html", **frame("voice"), **as_of(stored), found=found, sure=SURE,
        worst=worst if worst and worst["negative"] else None,
        rising=between.join(word("theme", row["theme"]) for row in rising),
    )  # fmt: skip
