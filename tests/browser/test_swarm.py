"""Several tablets, networks cut at random, the server killed in between. scripts/bench/tablet does it with twenty."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser
from sqlalchemy import Engine

from tests.browser.live_server import LiveServer
from tests.browser.swarm import swarm


@pytest.mark.browser
@pytest.mark.slow
def test_every_outcome_of_many_tablets_arrives_exactly_once(
    browser: Browser, server: LiveServer, shop_engine: Engine
) -> None:
    tally = swarm(browser, server, shop_engine, tablets=6, taps=40, kills=2, seed=11)
    assert (tally.tapped, tally.stored) == (240, 240), tally
    assert (tally.lost, tally.twice, tally.wrong_clerk, tally.wrong_result, tally.refused) == (0, 0, 0, 0, 0), tally
