"""The roll-up on both databases: whatever comes late, its sums are those of adding everything up anew."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from analytics.case_mix import CaseMix, three_points, with_power_sums
from analytics.staff_success import proposal_cells, proposal_rows, report, roll_up, standings
from analytics.staff_success.proposals import suggestion_rows
from analytics.staff_success.roll_up import case_mix_or_nothing
from analytics.staff_success.standings import day_number, work_out
from analytics.staff_success.success import fit_case_mix
from journey.clerk_roll_ups import CaseMixModel, ClerkHandlingDay, ClerkProposalDay, StaffStanding
from journey.confirmations import confirm
from journey.customers import Customer
from journey.database import writing
from journey.fact_days import mark_days
from journey.outcome_recording import Tap, record_outcome, retract
from journey.outcomes import Outcome
from journey.products import Product
from journey.purchases import PosLine
from journey.stores import Clerk, Store
from journey.suggestions import ClerkTarget, Suggestion
from journey.visits import Visit

START = datetime(2026, 3, 2, 1, tzinfo=UTC)  # 10:00 on a Monday in Tokyo
DAYS = 20
NOW = START + timedelta(days=DAYS, hours=14)


@pytest.fixture
def chain(session: Session) -> Session:
    rng = np.random.default_rng(11)
    session.add_all([Store(store_id="001", name="本店"), Store(store_id="002", name="Paris", timezone="Europe/Paris")])
    session.add_all([Clerk(clerk_id=f"K{i}", store_id="001" if i < 4 else "002", name=f"K{i}") for i in range(6)])
    session.add_all([Customer(customer_id=f"C{i}", tier=("gold", None, "silver")[i % 3]) for i in range(30)])
    session.add_all([Product(product_id=f"P{i}", name=f"P{i}", category=f"食品{i % 3} > 菓子") for i in range(6)])
    for number in range(600):
        at = START + timedelta(days=number % DAYS, minutes=int(rng.integers(0, 600)))
        clerk = f"K{rng.integers(0, 6)}"
        chance = float(np.round(rng.beta(2, 5), 3))
        session.add(
            Suggestion(
                suggestion_id=f"S{number:03d}", set_id=f"T{number}", customer_id=f"C{number % 30}",
                store_id="001" if clerk < "K4" else "002", clerk_id=clerk, shown_at=at, rank=1 + number % 2,
                product_id=f"P{number % 6}", probability=chance if number % 7 else None, score=float(number % 5),
            )
        )  # fmt: skip
        result = ("bought" if rng.random() < chance else "declined") if number % 9 else "not_proposed"
        session.add(
            Outcome(outcome_id=f"O{number:03d}", suggestion_id=f"S{number:03d}", clerk_id=clerk, occurred_at=at,
                    received_at=at, result=result)
        )  # fmt: skip
    session.flush()
    return session


def sums(session: Session) -> list[Any]:
    table = ClerkProposalDay.__table__
    rows = session.execute(select(table).order_by(*table.primary_key.columns)).all()
    handled = ClerkHandlingDay.__table__
    rows += session.execute(select(handled).order_by(*handled.primary_key.columns)).all()
    return [tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in rows]


def anew(session: Session, now: datetime) -> list[Any]:
    """What the tables would hold had they been made from nothing, with the same case mix."""
    kept = sums(session)
    session.execute(delete(ClerkProposalDay))
    roll_up(session, now=now, everything=True)
    found = sums(session)
    assert kept
    return found


def test_the_case_mix_scores_in_the_database_as_it_does_in_python(chain: Session) -> None:
    cells = proposal_cells(chain)
    mix = CaseMix.from_json(fit_case_mix(cells).as_json())
    assert any(name.startswith("logit") for term in mix.terms for name in term.names)
    statement, columns = suggestion_rows(chain)
    names = sorted({term.column for term in mix.terms})
    rows = chain.execute(statement.add_columns(*(columns[name] for name in names), mix.sql(columns))).all()
    assert len(rows) == 600
    frame = pl.DataFrame([row[:-1] for row in rows], schema=names, orient="row", infer_schema_length=None)
    assert np.ptp(mix.offsets(frame)) > 1
    assert mix.offsets(frame) == pytest.approx([row[-1] for row in rows], abs=1e-9)


def test_late_facts_change_only_their_days_and_nothing_is_missed(chain: Session) -> None:
    first = roll_up(chain, now=NOW)
    assert (first["days"], first["case_mix"]) == ("all", "learnt")
    quiet = roll_up(chain, now=NOW + timedelta(minutes=15))
    assert quiet["days"] <= 3
    later = NOW + timedelta(hours=1)
    # A tap that corrects an old outcome, one taken back, an import of an old day, a late receipt, a new campaign.
    tap = Tap("late", "S040", "K1", "bought", occurred_at=later)
    record_outcome(chain, tap, now=later)
    retract(chain, "O100", now=later)
    old = START + timedelta(days=3, hours=1)
    chain.add(Suggestion(suggestion_id="SX", customer_id="C1", store_id="001", clerk_id="K2", shown_at=old,
                         product_id="P1", rank=1, probability=0.2))  # fmt: skip
    chain.add(
        Outcome(outcome_id="OX", suggestion_id="SX", clerk_id="K2", occurred_at=old, received_at=None, result="bought")
    )
    chain.flush()
    mark_days(chain.connection(), "suggestions", [day_number(old.date())])
    chain.add(PosLine(receipt_id="R", line_no=1, store_id="001", sold_at=old + timedelta(hours=1), local_day=0,
                      product_id="P1", quantity=1, amount=100, customer_id="C1"))  # fmt: skip
    chain.add(ClerkTarget(campaign_id="A", name="新", product_id="P1", starts_on=date(2026, 3, 1),
                          ends_on=date(2026, 3, 31)))  # fmt: skip
    chain.flush()
    before = sums(chain)
    assert confirm(chain, window=timedelta(hours=24)) == 1
    assert confirm(chain, window=timedelta(hours=24)) == 1
    found = roll_up(chain, now=later + timedelta(minutes=1))
    assert found["case_mix"] == "kept"
    assert found["days"] <= 12
    kept = sums(chain)
    assert kept != before
    assert sum(row[-1] for row in kept if len(row) == 10) == 1  # the focus merchandise's first purchase
    assert kept == anew(chain, later + timedelta(minutes=2))


def test_handling_that_comes_late_is_noticed_on_any_day(chain: Session) -> None:
    roll_up(chain, now=NOW)
    old = START + timedelta(days=2)
    visit = Visit(visit_id="V", store_id="001", customer_id="C1", customer_ref="C1", source="scan", arrived_at=old,
                  attended_at=old + timedelta(seconds=40), clerk_id="K1")  # fmt: skip
    chain.add(visit)
    chain.flush()
    assert roll_up(chain, now=NOW + timedelta(minutes=1))["days"] <= 6
    rows = {clerk["clerk_id"]: clerk for clerk in report(chain)["clerks"]}
    assert (rows["K1"]["attended"], rows["K1"]["seconds_to_attend"]) == (1, 40)
    assert (rows["K2"]["attended"], rows["K2"]["seconds_to_attend"]) == (0, None)
    chain.delete(visit)
    chain.flush()
    roll_up(chain, now=NOW + timedelta(minutes=2))
    assert sum(clerk["attended"] for clerk in report(chain)["clerks"]) == 0
    assert roll_up(chain, now=NOW + timedelta(minutes=3))["days"] <= 3


def test_a_receipt_that_is_taken_back_takes_its_confirmation_along(chain: Session) -> None:
    at = chain.get(Suggestion, "S000").shown_at  # type: ignore[union-attr]
    line = PosLine(receipt_id="R", line_no=1, store_id="001", sold_at=at, local_day=0, product_id="P0", quantity=1,
                   amount=100, customer_id="C0")  # fmt: skip
    chain.add(line)
    chain.flush()
    assert confirm(chain, window=timedelta(hours=24)) == 1
    roll_up(chain, now=NOW)
    assert sum(clerk["confirmed"] for clerk in report(chain)["clerks"]) == 1
    chain.delete(line)
    chain.flush()
    assert confirm(chain, window=timedelta(hours=24), since=at - timedelta(hours=1)) == 0
    roll_up(chain, now=NOW + timedelta(minutes=1))
    assert sum(clerk["confirmed"] for clerk in report(chain)["clerks"]) == 0


def test_kept_standings_are_what_would_be_worked_out(chain: Session) -> None:
    roll_up(chain, now=NOW)
    mix = case_mix_or_nothing(chain)
    last = date(2026, 3, 23)
    kept = standings(chain, mix, last - timedelta(days=27), last)
    fresh = work_out(chain, mix, (day_number(last) - 27, day_number(last)))
    assert kept.rows == fresh.rows
    assert kept.frame == fresh.frame
    assert kept.strengths == fresh.strengths
    of_store = standings(chain, mix, last - timedelta(days=27), last, store="002")
    assert [row["clerk_id"] for row in of_store.rows] == ["K4", "K5"]
    assert of_store.rows == [row for row in kept.rows if row["store_id"] == "002"]
    # Another span is worked out on the spot, and another bar for flags too.
    week = report(chain, start=date(2026, 3, 2), end=date(2026, 3, 8))
    assert 0 < sum(clerk["shown"] for clerk in week["clerks"]) < 600
    assert not any(clerk["ranked"] for clerk in report(chain, min_proposals=10_000)["clerks"])


def test_standings_that_an_older_build_kept_are_worked_out_anew(chain: Session) -> None:
    roll_up(chain, now=NOW)
    span = date(2026, 2, 24), date(2026, 3, 23)
    right = report(chain, start=span[0], end=span[1])
    for kept in chain.scalars(select(StaffStanding)):
        kept.figures = {key: value for key, value in kept.figures.items() if key not in ("form", "chain", "strengths")}
    chain.flush()
    assert report(chain, start=span[0], end=span[1]) == right


def test_rows_are_paged_latest_first_and_counted_by_the_sums(chain: Session) -> None:
    chain.add(
        Suggestion(suggestion_id="taken", set_id="taken", customer_id="C1", store_id="002", clerk_id="K1",
                   shown_at=NOW - timedelta(hours=8), rank=1, product_id="P1")
    )  # fmt: skip
    chain.flush()
    record_outcome(chain, Tap("taken", "taken", "K4", "declined", occurred_at=NOW - timedelta(hours=8)), now=NOW)
    unsummed = proposal_rows(chain, "K4", None, None, figure="proposed", limit=7)
    roll_up(chain, now=NOW)
    for figure in ("shown", "proposed", "accepted"):
        everything, total = proposal_rows(chain, "K4", None, None, figure=figure, limit=1000)
        assert total == len(everything) > 20
        paged = [proposal_rows(chain, "K4", None, None, figure=figure, limit=7, offset=o) for o in range(0, total, 7)]
        assert [row for rows, _ in paged for row in rows] == everything
        assert {count for _, count in paged} == {total}
        assert everything == sorted(everything, key=lambda row: row.shown_at, reverse=True)
    assert proposal_rows(chain, "K4", None, None, figure="proposed", limit=7) == unsummed
    assert unsummed[0][0].suggestion_id == "taken"
    assert "taken" not in {row.suggestion_id for row in proposal_rows(chain, "K1", None, None, limit=1000)[0]}


def test_the_rows_of_a_day_are_those_of_the_day_on_the_stores_clock(chain: Session) -> None:
    roll_up(chain, now=NOW)
    for clerk in ("K1", "K4"):  # Tokyo and Paris, where the facts of a Tokyo night fall on the day before
        for day in (date(2026, 3, 3), date(2026, 3, 4)):
            by_sums = chain.scalar(
                select(func.sum(ClerkProposalDay.shown)).where(
                    ClerkProposalDay.clerk_id == clerk, ClerkProposalDay.day == day_number(day)
                )
            )
            assert len(proposal_rows(chain, clerk, day, day, limit=1000)[0]) == by_sums


def test_the_case_mix_is_learnt_anew_when_the_chain_has_grown_or_a_month_has_passed(chain: Session) -> None:
    assert roll_up(chain, now=NOW)["case_mix"] == "learnt"
    chain.query(CaseMixModel).one().proposals = 300
    chain.flush()
    assert roll_up(chain, now=NOW)["case_mix"] == "learnt"
    assert roll_up(chain, now=NOW + timedelta(days=27))["case_mix"] == "kept"
    assert roll_up(chain, now=NOW + timedelta(days=29))["case_mix"] == "learnt"
    assert chain.query(CaseMixModel).count() == 1


def test_two_runs_at_once_wait_for_each_other(chain: Session, engine: Engine) -> None:
    chain.commit()

    def run(number: int) -> Any:
        with writing(engine) as session:
            return roll_up(session, now=NOW + timedelta(minutes=number))["days"]

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, (0, 1)))
    assert sorted(map(str, done))[-1] == "all"
    assert sum(clerk["shown"] for clerk in report(chain)["clerks"]) == 600


def test_an_empty_record_rolls_up_to_nothing(session: Session) -> None:
    assert roll_up(session, now=NOW)["days"] == "all"
    assert roll_up(session, now=NOW + timedelta(hours=1))["case_mix"] == "kept"
    found = report(session)
    assert (found["clerks"], found["funnel"]["average"]) == ([], None)
    session.add(Suggestion(suggestion_id="S", customer_id=None, store_id="X", clerk_id="K", shown_at=NOW,
                           product_id="P", rank=1))  # fmt: skip
    session.flush()
    roll_up(session, now=NOW + timedelta(hours=2))
    (only,) = report(session)["clerks"]
    assert (only["shown"], only["proposed"], only["rate"], only["flag"]) == (1, 0, None, "none")
    assert (only["services"], only["identified"]) == (1, 0)


@pytest.mark.parametrize("kind", ["spread", "two kinds", "alike", "one"])
def test_five_sums_stand_for_all_logits(kind: str) -> None:
    rng = np.random.default_rng(2)
    logits = {
        "spread": rng.normal(-1, 0.9, 500),
        "two kinds": np.repeat([-2.0, 0.5], [300, 100]),
        "alike": np.full(40, -0.7),
        "one": np.array([1.3]),
    }[kind]
    frame = with_power_sums(pl.DataFrame({"proposed": np.ones(logits.size, dtype=int)}), logits).sum()
    points, trials = three_points(frame)
    assert trials.sum() == pytest.approx(logits.size)
    for skill in (-2.0, 0.0, 1.5):
        exact = np.mean(1 / (1 + np.exp(-logits - skill)))
        assert (trials / (1 + np.exp(-points - skill))).sum() / logits.size == pytest.approx(exact, abs=2e-3)
