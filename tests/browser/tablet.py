"""What a clerk does with a tablet, as methods: a page in a real Chromium, enrolled in the shop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect
from sqlalchemy import Engine, select

from clerk_ui.auth.callers import DEVICE_COOKIE, SESSION_COOKIE
from journey.accounts import Account, Device
from journey.database import writing
from journey.devices import add_device, enrol
from journey.sign_ins import open_session
from journey.tokens import hashed
from tests.browser.shop import PIN, STORE

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
KEPT = """([store, name]) => new Promise((done) => {
  const request = indexedDB.open("osusume");
  request.onsuccess = () => {
    const place = request.result.transaction(store).objectStore(store);
    const found = name ? place.get(name) : place.getAllKeys();
    found.onsuccess = () => { request.result.close(); done(name ? found.result !== undefined : found.result); };
  };
})"""
OPENING = "const database = await open();"
LATE_WRITES = 'if (mode === "readwrite") await new Promise((go) => setTimeout(go, Math.random() * 500));\n  '
LATE_ANSWERS = """{
  const late = () => new Promise((go) => setTimeout(go, Math.random() * 500));
  const quick = window.fetch;
  window.fetch = async (...asked) => { const answer = await quick(...asked); await late(); return answer; };
}"""
LANDSCAPE, PORTRAIT, ZOOMED, PHONE = (1024, 768), (768, 1024), (512, 384), (390, 844)


def new_context(
    browser: Browser, url: str, size: tuple[int, int] = LANDSCAPE, locale: str = "ja-JP", *, worker: bool = False
) -> BrowserContext:
    """A browser of its own: cookies and storage, and a service worker where asked for (it loads all files twice).

    ZOOMED is what 200 % leaves of LANDSCAPE.
    """
    context = browser.new_context(
        base_url=url, viewport={"width": size[0], "height": size[1]}, locale=locale, timezone_id="Asia/Tokyo",
        reduced_motion="reduce", has_touch=True, service_workers="allow" if worker else "block",
    )  # fmt: skip
    if os.environ.get("OSUSUME_TEST_LATE"):
        make_late(context)
    return context


def make_late(context: BrowserContext) -> None:
    """Every answer of the server and every write to IndexedDB comes up to half a second late, by chance.

    What a test (or the tablet itself) takes for granted because it is usually quick shows itself.
    """
    context.add_init_script(LATE_ANSWERS)

    def late_writes(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace(OPENING, LATE_WRITES + OPENING, 1))

    context.route("**/counter/database.js*", late_writes)


def wait_until(page: Page, true: str | Callable[[], object], seconds: float = 20) -> None:
    """Wait until it is true. Playwright's own wait evaluates strings in the page, which our policy forbids."""
    until = time.monotonic() + seconds
    while not (page.evaluate(true) if isinstance(true, str) else true()):
        assert time.monotonic() < until, f"never true: {true}"
        page.wait_for_timeout(30)


def kept(page: Page, store: str, name: str | None = None) -> object:
    """What the tablet keeps in IndexedDB: the ids of its customers, or whether it has a value of this name."""
    return page.evaluate(KEPT, [store, name])


def device_token(engine: Engine, store_id: str = STORE) -> str:
    """The cookie of a newly enrolled tablet."""
    now = datetime.now(UTC)
    with writing(engine) as session:
        _, code = add_device(session, store_id=store_id, name="カウンター", now=now)
    with writing(engine) as session:
        return enrol(session, code, now=now)[1]


def session_token(engine: Engine, device: str, account_id: str) -> str:
    """The cookie of somebody signed in on the tablet with this cookie, without the taps and the slow PIN."""
    now = datetime.now(UTC)
    with writing(engine) as session:
        device_id = session.scalars(select(Device.device_id).where(Device.token_hash == hashed(device))).one()
        epoch = session.get_one(Account, account_id).session_epoch
        return open_session(
            session,
            account_id,
            epoch=epoch,
            device_id=device_id,
            method="pin",
            now=now,
            lifetime=timedelta(hours=12),
        )


class Tablet:
    """One enrolled tablet."""

    def __init__(self, context: BrowserContext, url: str, token: str | None, session: str | None = None) -> None:
        self.context, self.url = context, url
        if token is not None:
            context.add_cookies(
                [{"name": DEVICE_COOKIE, "value": token, "url": url, "httpOnly": True, "sameSite": "Strict"}]
            )
        if session is not None:
            context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": url, "sameSite": "Strict"}])
        self.page: Page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto("/counter/")
        if session is not None:
            self.page.locator("#sending").wait_for()  # a scan before that goes nowhere

    def sign_in(self, name: str, pin: str = PIN) -> None:
        """A face, then the PIN."""
        self.page.locator(".person", has_text=name).click()
        self.try_pin(pin)
        self.page.locator("#sending").wait_for()

    def try_pin(self, pin: str) -> None:
        """Type a PIN, and wait until it was found right or wrong."""
        self.page.locator("#pin").wait_for()
        self.page.keyboard.type(pin)
        self.page.keyboard.press("Enter")
        expect(self.page.locator('.pin[aria-busy="true"]')).to_have_count(0)

    def hand_over(self) -> None:
        """To the people's screen, as when a colleague takes the tablet."""
        self.page.locator(".tool--person").click()
        self.page.locator("dialog .button--main").click()
        self.page.locator(".person").first.wait_for()

    def scan(self, code: str) -> None:
        """A hand scanner: keys four milliseconds apart, then Enter, however slowly this machine delivers them."""
        line = self.context.new_cdp_session(self.page)
        began = time.time()
        for place, sign in enumerate([*code, "Enter"]):
            text = "\r" if sign == "Enter" else sign
            key = {"key": sign, "timestamp": began + place * 0.004}
            line.send("Input.dispatchKeyEvent", {"type": "keyDown", "text": text, **key})
            line.send("Input.dispatchKeyEvent", {"type": "keyUp", **key})
        line.detach()

    def serve(self, card: str) -> None:
        """Scan a member and wait for the suggestions."""
        self.scan(card)
        self.page.locator(".suggestion").first.wait_for()
        self.page.locator(".about--head").wait_for()

    def go(self, place: str) -> None:
        """One of the places of the menu: find, item, day, outbox; until its screen stands."""
        here = self.page.evaluate("location.hash") == f"#/{place}"
        former = self.page.locator("h1").element_handle()
        self.page.locator(f'.place[href="#/{place}"]').click()
        if not here:
            former.wait_for_element_state("hidden")

    @contextmanager
    def another_set(self) -> Iterator[None]:
        """What is done within leads to other suggestions; until they stand."""
        former = self.page.locator(".suggestions").element_handle()
        with self.page.expect_response("**/suggestions"):
            yield
        former.wait_for_element_state("hidden")

    def open_suggestions(self) -> Locator:
        """Suggestions on which nothing was recorded yet."""
        return self.page.locator(".suggestion:not(.suggestion--recorded)")

    def tap(self, result: str) -> str:
        """One tap on the first open suggestion; answers its id."""
        card = self.open_suggestions().first
        suggestion_id = card.get_attribute("data-suggestion")
        assert suggestion_id is not None
        card.locator(f".outcome--{result}").click()
        self.page.locator(f'.suggestion--recorded[data-suggestion="{suggestion_id}"]').wait_for()
        return suggestion_id

    def wait_for_counts(self, waiting: int, refused: int = 0) -> None:
        """Wait until the visible counter says so."""
        self.page.locator(f'#sending[data-waiting="{waiting}"][data-refused="{refused}"]').wait_for(timeout=20_000)
