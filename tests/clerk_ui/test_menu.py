"""The menu of managers and the CoE: grouped, by role, with the way to every page that a person may open."""

from __future__ import annotations

import pytest

from clerk_ui.management import GROUPS, PLACES, group_of, menu_for
from journey.sign_ins import Person
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_management_pages import NOW, browser


def person(role: str) -> Person:
    return Person("a", "A", role, None, None, "ja", None, "password", NOW)


@pytest.mark.parametrize("role", ["manager", "coe", "admin"])
def test_every_page_of_a_role_stands_in_one_group(shop: Shop, role: str) -> None:
    with shop.app.test_request_context("/"):
        menu = menu_for(person(role), "team")
    shown = [place["href"] for group in menu for place in group["places"]]
    allowed = [href for href, _, _, roles in PLACES.values() if role in roles or role == "admin"]
    assert sorted(shown) == sorted(allowed)
    assert [group["current"] for group in menu].count(True) == 1
    assert all(group["href"] == group["places"][0]["href"] for group in menu)


def test_a_place_that_no_group_names_stands_with_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLACES, "new", ("/store/new", "management.team", "people", ("coe",)))
    monkeypatch.setitem(PLACES, "newer", ("/coe/newer", "management.team", "people", ("coe",)))
    assert (group_of("new"), group_of("newer")) == ("store", "models")
    assert set(GROUPS) >= {"store", "models", "data", "cx", "actions"}


def test_the_coe_reads_groups_and_a_manager_only_pages(shop: Shop) -> None:
    coe = browser(shop, "coe").get("/coe/data?lang=ja").text
    assert "データ・ID" in coe
    assert '<a href="/coe/data"' in coe
    manager = browser(shop, "manager", "S1").get("/store/?lang=ja").text
    assert "データ・ID" not in manager
    assert 'aria-current="page"' in manager
