"""Queues: published answers, agreement with a simulation, limits."""

from __future__ import annotations

import numpy as np
import pytest
import simpy

from analytics.queues import (
    ServiceTarget,
    abandonment,
    erlang_a,
    erlang_c,
    general_service_level,
    mean_wait,
    required_clerks,
    servable_rates,
    service_level,
    simulate_queue,
)
from journey.errors import InputError


@pytest.mark.parametrize(
    ("load", "clerks", "published"),
    [(4, 5, 0.554113), (8, 10, 0.409180), (16, 20, 0.256078), (20, 24, 0.298072), (80, 100, 0.019646)],
)
def test_erlang_c(load: float, clerks: int, published: float) -> None:
    assert float(erlang_c(load, clerks)) == pytest.approx(published, abs=6e-7)


def test_required_positions_of_pyworkforce() -> None:
    found = required_clerks(100, 30, 180, ServiceTarget(0.8, 20), shrinkage=0.3)
    assert (found.clerks, found.scheduled) == (14, 20)
    assert found.service_level == pytest.approx(0.8883500191794669, abs=1e-12)
    assert found.wait_probability == pytest.approx(0.1741319335950498, abs=1e-12)
    assert found.occupancy == pytest.approx(0.7142857142857143, abs=1e-12)


def simpy_waits(rate: float, service: np.ndarray, clerks: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    environment = simpy.Environment()
    floor = simpy.Resource(environment, clerks)
    waits: list[float] = []

    def customer(seconds: float) -> simpy.events.ProcessGenerator:
        came = environment.now
        with floor.request() as turn:
            yield turn
            waits.append(environment.now - came)
            yield environment.timeout(seconds)

    def door() -> simpy.events.ProcessGenerator:
        for seconds in service:
            yield environment.timeout(float(rng.exponential(1 / rate)))
            environment.process(customer(float(seconds)))

    environment.process(door())
    environment.run()
    return np.array(waits[300:])


@pytest.mark.parametrize("kind", ["exponential", "lognormal", "constant"])
def test_formulas_agree_with_a_simulation_that_is_not_ours(kind: str) -> None:
    rng = np.random.default_rng(5)
    n, mean, rate, clerks = 12_000, 200.0, 0.02, 5
    sigma = np.sqrt(np.log1p(1.21**2))
    service, cv2 = {
        "exponential": (rng.exponential(mean, n), 1.0),
        "lognormal": (rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, n), 1.21**2),
        "constant": (np.full(n, mean), 0.0),
    }[kind]
    waits = simpy_waits(rate, service, clerks, 6)
    level = float(general_service_level(60, rate * mean, mean, clerks, service_cv2=cv2))
    assert level == pytest.approx(float(np.mean(waits <= 60)), abs=0.05)
    assert float(mean_wait(rate * mean, mean, clerks, service_cv2=cv2)) == pytest.approx(waits.mean(), rel=0.25)


def test_our_own_simulation_agrees_with_simpy() -> None:
    rng = np.random.default_rng(1)
    arrivals = np.cumsum(rng.exponential(50, (8, 3000)), axis=1)
    waits, served = simulate_queue(arrivals, rng.exponential(180, arrivals.shape), 5)
    theirs = simpy_waits(1 / 50, rng.exponential(180, 24_000), 5, 2)
    assert served.all()
    assert waits[:, 200:].mean() == pytest.approx(theirs.mean(), rel=0.15)
    assert np.mean(waits[:, 200:] <= 60) == pytest.approx(np.mean(theirs <= 60), abs=0.02)


@pytest.mark.parametrize(("rate", "clerks"), [(0.05, 8), (0.01, 1), (0.03, 4)])
def test_erlang_a_agrees_with_the_simulation_also_when_overloaded(rate: float, clerks: int) -> None:
    rng = np.random.default_rng(3)
    arrivals = np.cumsum(rng.exponential(1 / rate, (20, 2500)), axis=1)
    service, patience = rng.exponential(200, arrivals.shape), rng.exponential(240, arrivals.shape)
    waits, served = (x[:, 200:] for x in simulate_queue(arrivals, service, clerks, patience))
    formula = erlang_a(rate, 200, clerks, 240)
    assert formula.gave_up == pytest.approx(1 - served.mean(), abs=0.012)
    assert formula.waited == pytest.approx((waits > 0).mean(), abs=0.012)
    assert formula.served_within == pytest.approx((served & (waits <= 60)).mean(), abs=0.012)
    assert formula.mean_wait == pytest.approx(waits.mean(), rel=0.05)
    assert float(abandonment(rate, 200, clerks, 240)[0]) == pytest.approx(formula.gave_up, abs=1e-9)


def test_endless_patience_is_erlang_c() -> None:
    patient = erlang_a(0.02, 200, 6, 1e7)
    assert patient.waited == pytest.approx(float(erlang_c(4, 6)), abs=1e-3)
    assert patient.served_within == pytest.approx(float(service_level(60, 4, 200, 6)), abs=1e-3)


def test_the_table_of_rates_inverts_the_requirement() -> None:
    table = servable_rates(40, 230, service_cv2=1.46)
    for arrivals in np.linspace(0.5, 60, 25):
        ours = required_clerks(float(arrivals), 15, 230, service_cv2=1.46).clerks
        assert int(np.searchsorted(table, arrivals / 900 - 1e-15)) == ours


def test_variable_service_takes_more_clerks_and_constant_service_fewer() -> None:
    needed = [required_clerks(60, 15, 240, service_cv2=cv2).clerks for cv2 in (0.0, 1.0, 4.0)]
    assert needed == sorted(needed)
    assert needed[0] < needed[2]


def test_nobody_needs_nobody_and_nonsense_is_refused() -> None:
    assert required_clerks(0, 15, 180).clerks == 0
    assert erlang_a(0.01, 100, 0, 60).gave_up == 1
    for bad in ({"arrivals": -1.0}, {"minutes": 0.0}, {"service_seconds": 0.0}):
        with pytest.raises(InputError):
            required_clerks(**({"arrivals": 10.0, "minutes": 15.0, "service_seconds": 60.0} | bad))


def test_requirements_agree_with_a_simulation_within_one() -> None:
    # A small share of scripts/bench/staffing.
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rate, mean, cv = rng.uniform(10, 100) / 3600, rng.uniform(90, 300), (0.0, 0.8, 1.21)[seed % 3]
        arrivals = np.cumsum(rng.exponential(1 / rate, (12, 1200)), axis=1)
        sigma = np.sqrt(np.log1p(cv**2))
        service = rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, arrivals.shape)
        ours = required_clerks(rate * 900, 15, mean, service_cv2=cv**2).clerks

        def level(clerks: int, arrivals: np.ndarray = arrivals, service: np.ndarray = service) -> float:
            return float((simulate_queue(arrivals, service, clerks)[0][:, 100:] <= 60).mean())

        assert level(ours + 1) >= 0.8
        assert ours <= 2 or level(ours - 2) < 0.8


@pytest.mark.parametrize("cv", [1.0, 1.21])
def test_requirements_hold_through_a_day_whose_queue_is_carried_over(cv: float) -> None:
    # A small share of scripts/bench/staffing: a rush between quiet quarter hours, in simpy.
    arrivals = np.array([6.0, 8, 12, 20, 26, 20, 12, 8, 6])
    mean, repeats = 200.0, 60
    needed = np.array([required_clerks(a, 15, mean, service_cv2=cv**2).clerks for a in arrivals])
    levels = {}
    for offset in (-2, 1):
        attended = np.zeros((arrivals.size, 2))
        for seed in range(repeats):
            attended += simpy_day(arrivals, mean, cv, needed + offset, seed)
        levels[offset] = attended[:, 0] / attended[:, 1]
    assert (levels[1] >= 0.8).all()
    assert (levels[-2] < 0.8).mean() >= 8 / 9


def simpy_day(arrivals: np.ndarray, mean: float, cv: float, clerks: np.ndarray, seed: int) -> np.ndarray:
    """Per quarter hour: customers attended within a minute, and customers; clerks come and go by the quarter hour."""
    rng = np.random.default_rng(seed)
    environment = simpy.Environment()
    floor = simpy.PriorityResource(environment, int(clerks.max()))
    seen = np.zeros((arrivals.size, 2))
    sigma = np.sqrt(np.log1p(cv**2))

    def customer(quarter: int) -> simpy.events.ProcessGenerator:
        came = environment.now
        with floor.request(priority=1) as turn:
            yield turn
            seen[quarter] += (environment.now - came <= 60, 1)
            seconds = rng.exponential(mean) if cv == 1.0 else rng.lognormal(np.log(mean) - sigma**2 / 2, sigma)
            yield environment.timeout(float(seconds))

    def away(quarter: int) -> simpy.events.ProcessGenerator:
        yield environment.timeout(quarter * 900)
        with floor.request(priority=0) as turn:
            yield turn
            yield environment.timeout(max((quarter + 1) * 900 - environment.now, 0))

    def door() -> simpy.events.ProcessGenerator:
        for quarter, expected in enumerate(arrivals):
            for moment in np.sort(rng.uniform(0, 900, rng.poisson(expected))) + quarter * 900:
                yield environment.timeout(float(moment) - environment.now)
                environment.process(customer(quarter))

    for quarter, there in enumerate(clerks):
        for _ in range(int(clerks.max() - there)):
            environment.process(away(quarter))
    environment.process(door())
    environment.run()
    return seen
