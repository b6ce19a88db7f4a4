"""A real server on a real database, and a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext
from sqlalchemy import Engine, delete, select

from journey.database import connect, reading, writing
from journey.outcomes import Outcome
from journey.suggestions import Dismissal, Suggestion
from tests.browser.live_server import LiveServer
from tests.browser.shop import open_shop
from tests.browser.tablet import LANDSCAPE, Tablet, device_token, new_context, session_token


@pytest.fixture(scope="session")
def shop_home(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the shop and a model; copied by whoever wants a server of their own."""
    home = tmp_path_factory.mktemp("shop")
    shutil.copy(sqlite_template, home / "osusume.db")
    engine = connect(f"sqlite:///{home / 'osusume.db'}")
    open_shop(engine, home, now=datetime.now(UTC))
    engine.dispose()
    return home


@pytest.fixture(scope="session")
def server(shop_home: Path) -> Iterator[LiveServer]:
    server = LiveServer(shop_home, f"sqlite:///{shop_home / 'osusume.db'}", OSUSUME_DEMO_SHOP="true")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def shop_engine(server: LiveServer) -> Iterator[Engine]:
    engine = connect(server.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def contexts(browser: Browser, server: LiveServer) -> Iterator[Callable[..., BrowserContext]]:
    """Makes browser contexts and closes them."""
    made: list[BrowserContext] = []

    def make(size: tuple[int, int] = LANDSCAPE, locale: str = "ja-JP", *, worker: bool = False) -> BrowserContext:
        made.append(new_context(browser, server.url, size, locale, worker=worker))
        return made[-1]

    yield make
    for context in made:
        context.close()


@pytest.fixture
def tablets(
    contexts: Callable[..., BrowserContext], server: LiveServer, shop_engine: Engine
) -> Iterator[Callable[..., Tablet]]:
    """Makes enrolled tablets; a script error on any of them fails the test."""
    made: list[Tablet] = []

    def make(
        size: tuple[int, int] = LANDSCAPE,
        locale: str = "ja-JP",
        *,
        script: str = "",
        worker: bool = False,
        by: str = "",
    ) -> Tablet:
        context = contexts(size, locale, worker=worker)
        if script:
            context.add_init_script(script)
        token = device_token(shop_engine)
        session = session_token(shop_engine, token, by) if by else None
        made.append(Tablet(context, server.url, token, session))
        return made[-1]

    yield make
    assert [error for tablet in made for error in tablet.errors] == []


@pytest.fixture
def tablet(tablets: Callable[..., Tablet]) -> Tablet:
    """A tablet with Sato Hanako signed in."""
    return tablets(by="C1")


@pytest.fixture(autouse=True)
def _nothing_said_before(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test's clerks proposed and what came of it does not tire or offend the next one's customers."""
    yield
    if "shop_engine" in request.fixturenames:
        with writing(request.getfixturevalue("shop_engine")) as session:
            for table in (Outcome, Dismissal, Suggestion):
                session.execute(delete(table))


@pytest.fixture
def outcomes(shop_engine: Engine) -> Callable[..., list[Outcome]]:
    """The outcomes in the database for these suggestions, oldest first."""

    def read(*suggestion_ids: str) -> list[Outcome]:
        with reading(shop_engine) as session:
            query = select(Outcome).where(Outcome.suggestion_id.in_(suggestion_ids)).order_by(Outcome.received_at)
            return list(session.scalars(query))

    return read
