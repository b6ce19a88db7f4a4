from __future__ import annotations

from pathlib import Path

import pytest

from clerk_ui.settings import Settings, variables
from journey.errors import SettingsError
from tests.conftest import REPOSITORY


def test_the_readme_lists_every_setting_with_its_default_and_meaning() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    for variable, (section, field) in variables().items():
        info = Settings.model_fields[section].annotation.model_fields[field]  # type: ignore[union-attr]
        row = next((line for line in readme.splitlines() if line.startswith(f"| `{variable}` |")), "")
        assert info.description in row, variable
        shown = str(info.default).lower() if isinstance(info.default, bool) else str(info.default)
        assert not shown or f"`{shown}`" in row, variable


def test_values_come_from_the_environment_and_empty_ones_mean_the_default() -> None:
    settings = Settings.from_environment({"OSUSUME_HOME": "/srv/osusume", "REDIS_URL": "", "OSUSUME_TIMEZONE": "UTC"})
    assert settings.storage.home == Path("/srv/osusume")
    assert settings.storage.database == "sqlite:////srv/osusume/osusume.db"
    assert (settings.storage.redis_url, settings.chain.timezone) == ("", "UTC")


@pytest.mark.parametrize(
    ("variable", "value"),
    [("OSUSUME_TIMEZONE", "Mars/Olympus"), ("OSUSUME_EXPLORATION", "2"), ("OSUSUME_ATTRIBUTION_HOURS", "x")],
)
def test_an_unusable_value_names_its_variable(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        Settings.from_environment({variable: value})


def test_only_settings_reads_the_environment() -> None:
    readers = [
        path.relative_to(REPOSITORY).as_posix()
        for package in ("journey", "recommender", "analytics", "clerk_ui")
        for path in (REPOSITORY / package).rglob("*.py")
        if "os.environ" in path.read_text(encoding="utf-8") or "getenv" in path.read_text(encoding="utf-8")
    ]
    # the command line and gunicorn's configuration set thread counts before numpy loads; they decide nothing by it
    assert set(readers) <= {"clerk_ui/settings.py", "clerk_ui/commands/__init__.py", "clerk_ui/gunicorn_conf.py"}
