from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.pain_points import customer_segments, report, standing_out
from analytics.period import Period
from tests.analytics.cx_record import answer, day, line, masters


def drawn(seed: int, hurt: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Three measures of 300 persons in four segments of three; the csat of evening visitors is lower by ``hurt``."""
    draw = np.random.default_rng(seed)
    people = [f"p{i}" for i in range(300)]
    segments = [
        pl.DataFrame({"person": people, "segment": [s] * 300, "member": draw.choice(["a", "b", "evening"], 300)})
        for s in ("s1", "s2", "s3", "hours")
    ]
    evening = (segments[3]["member"] == "evening").to_numpy()
    measured = [
        pl.DataFrame(
            {
                "measure": [m] * 300,
                "person": people,
                "value": draw.normal(70, 15, 300) - (hurt * evening if m == "csat:store" else 0),
                "less_is_better": [False] * 300,
            }
        )
        for m in ("csat:store", "csat:web", "csat:app")
    ]
    return pl.concat(measured), pl.concat(segments)


def test_a_planted_pain_point_is_found_and_little_else() -> None:
    found = false = 0
    for seed in range(30):
        points, looks = standing_out(*drawn(seed, 12.0))
        assert looks == 36
        planted = [
            p for p in points if (p["member"], p["measure"]) == ("evening", "csat:store") and p["segment"] == "hours"
        ]
        found += bool(planted) and planted[0]["kind"] == "pain" and planted[0]["high"] < 0
        false += sum((p["segment"], p["measure"]) != ("hours", "csat:store") for p in points)
    assert found == 30
    assert false <= 15  # of some ninety pairs called, five in a hundred and chance


def test_no_complaint_among_few_is_no_gain() -> None:
    """None of 25 against 4 of 100 is nothing, however certain a variance of zero looks."""
    people = [f"p{i}" for i in range(125)]
    segments = pl.DataFrame({"person": people, "segment": "channel", "member": ["app"] * 25 + ["store"] * 100})
    values = [1.0 if 25 <= i < 29 else 0.0 for i in range(125)]
    measured = pl.DataFrame({"measure": "complaint:price", "person": people, "value": values, "less_is_better": True})
    assert standing_out(measured, segments) == ([], 2)


def test_nothing_stands_out_by_chance() -> None:
    assert sum(bool(standing_out(*drawn(seed, 0.0))[0]) for seed in range(40)) <= 5


def test_small_segments_are_left_alone() -> None:
    measured, segments = drawn(2, 0.0)
    points, looks = standing_out(measured.head(15), segments)
    assert (points, looks) == ([], 0)


def test_report(session: Session) -> None:
    """Customers of the evening complain about the till and rate the store low."""
    masters(session, customers=120)
    draw = np.random.default_rng(4)
    for i in range(120):
        late = i % 3 == 0
        for n in range(3):
            session.add(line(f"C{i}", "P", day(n * 7, 8 if late else -2)))
        who = {"customer_id": f"C{i}", "store_id": "001"}
        text = "レジでかなり待ちました" if late and i % 2 else "スタッフが親切でした"
        score = int(draw.integers(2, 6) if late else draw.integers(6, 11))
        session.add(answer(f"A{i}", "touchpoint", score, day(i % 20), touchpoint="store", comment=text, **who))
    session.flush()
    found = report(session)
    shown = {(p["segment"], p["member"], p["measure"], p["kind"]) for p in found["points"]}
    assert ("hours", "evening", "csat:store", "pain") in shown
    assert ("hours", "evening", "complaint:waiting", "pain") in shown
    assert ("hours", "morning", "csat:store", "gain") in shown
    assert not {s for s, *_ in shown} & {"channel", "frequency"}


def test_segments(session: Session) -> None:
    masters(session, customers=2)
    session.add_all([line("C0", "P", day(0)), line("C1", "P", day(100, 6)), line("C1", "P", day(101, 8), channel="ec")])
    session.flush()
    rows = {(p, s): m for p, s, m in customer_segments(session, Period(None, None)).iter_rows()}
    assert rows["c:C0", "tenure"] == "longer"
    assert rows["c:C1", "tenure"] == "new"
    assert (rows["c:C0", "hours"], rows["c:C1", "hours"]) == ("afternoon", "evening")
    assert (rows["c:C0", "frequency"], rows["c:C1", "frequency"]) == ("once", "2–4")
    assert (rows["c:C0", "tier"], rows["c:C1", "tier"]) == ("silver", "gold")


@pytest.mark.parametrize("sheets", [0, 1])
def test_report_on_next_to_nothing(session: Session, sheets: int) -> None:
    masters(session)
    for i in range(sheets):
        session.add(answer(f"A{i}", "touchpoint", 3, day(0), touchpoint="store", comment="高いです"))
    session.flush()
    found = report(session)
    assert (found["points"], found["looks"]) == ([], 0)
    assert found["notes"]
