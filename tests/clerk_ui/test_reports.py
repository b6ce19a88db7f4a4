"""``osusume report``: every analysis answers, also where nothing is on record yet, in JSON and CSV."""

from __future__ import annotations

import json

import pytest

from clerk_ui.commands import main
from clerk_ui.commands.reports import REPORTS
from clerk_ui.settings import Settings


@pytest.fixture(autouse=True)
def at_the_record(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSUSUME_HOME", str(settings.storage.home))
    monkeypatch.setenv("OSUSUME_DATABASE_URL", settings.storage.database)


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_of_an_empty_record_says_so_instead_of_failing(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", name, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert [row for row in document[REPORTS[name][1]] if "step" not in row] == []  # a funnel has its steps at least
    assert run("report", name, "--csv") == 0


def test_a_store_is_refused_where_it_means_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "one-id", "--store", "S1") == 2
    assert "--store means nothing here" in capsys.readouterr().err
    assert run("report", "drivers", "--store", "S1", "--json") == 0
