"""Many tablets tap while networks are cut at random and the server is killed; then everything is counted."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import Engine, select

from clerk_ui.auth.callers import DEVICE_COOKIE
from journey.database import reading, writing
from journey.outcomes import RESULTS, Outcome
from journey.suggestions import Suggestion
from tests.browser.live_server import LiveServer
from tests.browser.shop import CLERKS, HANAKO, PIN, PRODUCTS, STORE
from tests.browser.tablet import device_token, new_context

TAPS = """async ([clerk, taps]) => {
  const { recordOutcome } = await import("/static/counter/taps.js");
  window.tapped = [];
  window.tapping = (async () => {
    for (const [suggestion, result, pause] of taps) {
      const made = await recordOutcome({ suggestion_id: suggestion, product: { name: suggestion } }, result);
      window.tapped.push(made.id);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  })();
}"""
WAITING = """async () => {
  const { counts } = await import("/static/counter/outbox.js");
  const { waiting, refused } = await counts();
  return [window.tapped.length, waiting, refused];
}"""


@dataclass(frozen=True)
class Tally:
    """What came of a swarm: all zero but ``tapped`` and ``stored``, which are equal."""

    tapped: int
    stored: int
    lost: int
    twice: int
    wrong_clerk: int
    wrong_result: int
    refused: int
    seconds: float


def swarm(
    browser: Browser, server: LiveServer, engine: Engine, *, tablets: int, taps: int, kills: int, seed: int
) -> Tally:
    """Let ``tablets`` record ``taps`` outcomes each; ``kills`` times the server dies in the middle of it."""
    random, began = Random(seed), time.monotonic()
    pages: list[tuple[BrowserContext, Page]] = []
    asked: dict[str, tuple[str, str]] = {}
    try:
        for number in range(tablets):
            clerk_id = CLERKS[number % len(CLERKS)][0]
            shown = show(engine, number, taps, seed)
            plan = [(one, random.choice(RESULTS), random.randint(20, 120)) for one in shown]
            asked.update({one: (clerk_id, result) for one, result, _ in plan})
            pages.append(signed_in(browser, server, engine, clerk_id))
            pages[-1][1].evaluate(TAPS, [clerk_id, plan])
        ids = rough_weather(pages, server, taps, kills, random)
        refused = sum(page.evaluate(WAITING)[2] for _, page in pages)
    finally:
        for context, _ in pages:
            context.close()
    return count(engine, asked, ids, refused, time.monotonic() - began)


def show(engine: Engine, number: int, taps: int, seed: int) -> list[str]:
    """Suggestions that were shown on one tablet."""
    ids = [f"swarm-{seed}-{number}-{tap}" for tap in range(taps)]
    with writing(engine) as session:
        session.add_all(
            Suggestion(
                suggestion_id=one,
                set_id=f"swarm-{seed}-{number}",
                customer_id=HANAKO,
                customer_ref=HANAKO,
                store_id=STORE,
                shown_at=datetime.now(UTC),
                product_id=PRODUCTS[place % len(PRODUCTS)],
                rank=1,
            )
            for place, one in enumerate(ids)
        )
    return ids


def signed_in(browser: Browser, server: LiveServer, engine: Engine, clerk_id: str) -> tuple[BrowserContext, Page]:
    """A tablet with somebody on it, without the taps that this takes."""
    context = new_context(browser, server.url)
    cookie: Any = {"name": DEVICE_COOKIE, "value": device_token(engine), "url": server.url, "sameSite": "Strict"}
    context.add_cookies([cookie])
    answer = context.request.post(
        "/api/session", data={"account_id": clerk_id, "pin": PIN}, headers={"X-Osusume-Tablet": "1"}
    )
    assert answer.ok, answer.text()
    page = context.new_page()
    page.goto("/counter/")
    page.locator("#sending").wait_for()
    return context, page


def rough_weather(
    pages: list[tuple[BrowserContext, Page]], server: LiveServer, taps: int, kills: int, random: Random
) -> list[str]:
    """Cut networks and kill the server until all is tapped; then wait until nothing waits. Answers the ids made."""
    dead = 0
    while True:
        tapped = sum(page.evaluate("window.tapped.length") for _, page in pages)
        if tapped == taps * len(pages):
            break
        context, _ = random.choice(pages)
        context.set_offline(True)
        if dead < kills and tapped > (dead + 1) * taps * len(pages) / (kills + 1):
            dead += 1
            server.kill()
            server.start()
        context.set_offline(False)
    for context, page in pages:
        context.set_offline(False)
        page.evaluate("window.dispatchEvent(new Event('online'))")
    until = time.monotonic() + 90
    while any(page.evaluate(WAITING)[1] for _, page in pages):
        assert time.monotonic() < until, [page.evaluate(WAITING) for _, page in pages]
        time.sleep(0.2)
        for _, page in pages:
            page.evaluate("window.dispatchEvent(new Event('online'))")
    return [one for _, page in pages for one in page.evaluate("window.tapped")]


def count(engine: Engine, asked: dict[str, tuple[str, str]], ids: list[str], refused: int, seconds: float) -> Tally:
    """Compare the database with what was tapped."""
    with reading(engine) as session:
        rows = [one for one in session.scalars(select(Outcome)) if one.suggestion_id in asked]
    per_suggestion = Counter(row.suggestion_id for row in rows)
    stored = {row.outcome_id for row in rows}
    return Tally(
        tapped=len(ids),
        stored=len(rows),
        lost=sum(one not in stored for one in ids),
        twice=sum(number - 1 for number in per_suggestion.values()),
        wrong_clerk=sum(row.clerk_id != asked[row.suggestion_id][0] for row in rows),
        wrong_result=sum(row.result != asked[row.suggestion_id][1] for row in rows),
        refused=refused,
        seconds=round(seconds, 1),
    )
