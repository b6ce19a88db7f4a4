"""The camera as a scanner: our own reader of bar codes, and a film of a card before the browser's camera."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser
from sqlalchemy import Engine

from clerk_ui.joining.drawn_codes import jan_modules
from tests.browser.drawn_barcodes import MODULES, film, picture, stripes
from tests.browser.live_server import LiveServer
from tests.browser.shop import BARLEY_TEA, HANAKO_CARD
from tests.browser.tablet import ARGUMENTS, CHROMIUM, Tablet, device_token, new_context, session_token

pytestmark = pytest.mark.browser
READ = """async (pictures) => {
  const { createReader } = await import("/static/counter/barcodes/reader.js");
  const found = [];
  for (const address of pictures) {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const seen = createReader().see(context.getImageData(0, 0, image.width, image.height));
    found.push(seen ? `${seen.format} ${seen.code}` : null);
  }
  return found;
}"""
FAKE_CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@pytest.fixture(scope="module")
def read(browser: Browser, server: LiveServer) -> Any:
    """Reads pictures with the tablet's own reader."""
    context = new_context(browser, server.url)
    page = context.new_page()
    page.goto("/counter/")

    def read(*pictures: Image.Image) -> list[str | None]:
        addresses = []
        for one in pictures:
            file = io.BytesIO()
            one.save(file, "PNG")
            addresses.append("data:image/png;base64," + base64.b64encode(file.getvalue()).decode())
        found: list[str | None] = page.evaluate(READ, addresses)
        return found

    yield read
    context.close()


Read = Callable[..., list[str | None]]


@pytest.mark.parametrize(("format", "code"), MODULES)
def test_every_symbology_in_every_light(read: Read, format: str, code: str) -> None:
    modules = MODULES[format, code]
    module = min(4.0, 580 / (len(modules) + 24))
    poses: list[dict[str, Any]] = [
        {}, {"angle": 180}, {"angle": 90, "size": (640, 640)}, {"angle": 4}, {"angle": -8}, {"blur": 1.0},
        {"noise": 12}, {"shade": 55}, {"module": module * 0.75, "noise": 6}, {"angle": 3, "blur": 0.8, "noise": 8},
    ]  # fmt: skip
    assert read(*[picture(modules, **{"module": module} | pose) for pose in poses]) == [f"{format} {code}"] * len(poses)


def test_what_is_no_code_is_not_read(read: Read) -> None:
    assert set(read(*[stripes(seed) for seed in range(120)])) == {None}


def test_a_damaged_code_is_not_read_as_another(read: Read) -> None:
    random, spoilt = Random(4), []
    for (_, _), modules in MODULES.items():
        for _ in range(12):
            place, width = random.randrange(20, len(modules) - 20), random.choice((1, 2, 4))
            changed = modules[:place] + "".join("01"[one == "0"] for one in modules[place : place + width])
            spoilt.append(picture(changed + modules[place + width :], module=min(4.0, 580 / (len(modules) + 24))))
    truth = {f"{format} {code}" for format, code in MODULES}
    # a card without a check digit may lose a sign and still be a text; it is looked up and found to be nobody's
    wrong = [one for one in read(*spoilt) if one and one not in truth]
    assert [one for one in wrong if not one.startswith(("code_39", "codabar"))] == []
    assert len(wrong) <= 4, wrong


@pytest.mark.parametrize(("code", "seen"), [(HANAKO_CARD, "山田 花子 様"), (BARLEY_TEA, "国産麦茶 ティーバッグ 54袋")])
def test_a_card_held_before_the_camera(
    browser: Browser, server: LiveServer, shop_engine: Engine, tmp_path: Path, code: str, seen: str
) -> None:
    filmed = film(tmp_path / "card.y4m", picture(jan_modules(code), angle=3, blur=0.7, noise=6))
    token = device_token(shop_engine)
    other = browser.browser_type.launch(
        executable_path=CHROMIUM, args=[*ARGUMENTS, *FAKE_CAMERA, f"--use-file-for-fake-video-capture={filmed}"]
    )
    context = new_context(other, server.url)
    context.grant_permissions(["camera"])
    tablet = Tablet(context, server.url, token, session_token(shop_engine, token, "C1"))
    tablet.page.locator(".find__bar .button", has_text="カメラ").click()
    tablet.page.locator("h1", has_text=seen).wait_for(timeout=20_000)
    assert tablet.page.locator("dialog").count() == 0
    assert tablet.errors == []
    other.close()


def test_without_a_camera_it_says_so(tablet: Tablet) -> None:
    tablet.page.locator(".find__bar .button", has_text="カメラ").click()
    tablet.page.locator("dialog .notice--warn", has_text="番号で検索").wait_for()
