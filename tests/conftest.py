"""Real databases for every test: each gets a fresh one, copied from a migrated template."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, make_url, text
from sqlalchemy.orm import Session

from journey.database import WRITE, connect
from journey.schema import upgrade
from tests.browser.tablet import ARGUMENTS, CHROMIUM

POSTGRES = os.environ.get("OSUSUME_TEST_POSTGRES_URL", "")
REDIS = os.environ.get("OSUSUME_TEST_REDIS_URL", "")
REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's shell reaches a test."""
    for name in [n for n in os.environ if n.startswith("OSUSUME_") and not n.startswith("OSUSUME_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("REDIS_URL", raising=False)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public data sets; it is never part of the project, so tests that need it may be skipped."""
    folder = Path(os.environ.get("OSUSUME_TEST_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no public data at {folder} (set OSUSUME_TEST_SHARED)")
    return folder


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "template.db"
    engine = connect(f"sqlite:///{path}")
    upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_template() -> Iterator[str]:
    if not POSTGRES:
        pytest.skip("no PostgreSQL at hand (scripts/test starts one)")
    name = f"template_{uuid.uuid4().hex[:12]}"
    administer(f"CREATE DATABASE {name}")
    engine = connect(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    upgrade(engine)
    engine.dispose()
    yield name
    administer(f"DROP DATABASE {name} WITH (FORCE)")


def administer(statement: str) -> None:
    """Run one statement on the server outside of any transaction."""
    engine = connect(POSTGRES)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "osusume.db")
    return f"sqlite:///{tmp_path / 'osusume.db'}"


@pytest.fixture
def postgres_url(postgres_template: str) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    administer(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    administer(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty, migrated database; the test runs once on SQLite and once on PostgreSQL."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A writing session on the test's own database; commit or not, as the test likes."""
    with Session(engine.execution_options(**{WRITE: True}), expire_on_commit=False) as session:
        yield session


@pytest.fixture
def redis_url() -> str:
    if not REDIS:
        pytest.skip("no Redis at hand (scripts/test starts one)")
    return REDIS


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium, started once."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM} (scripts/test installs one)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()
