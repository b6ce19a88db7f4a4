from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.answers import scaled_answers
from analytics.behaviour import customer_behaviour, silence_days, with_churn
from analytics.clustered_means import change_between, clustered_mean
from analytics.experience import report
from analytics.loyalty import cronbach_alpha, field_lines, heart_premium, loyalty_fields
from analytics.nonresponse import response_weights
from analytics.period import Period
from journey.survey_invitations import Invitation
from journey.surveys import Answer
from tests.analytics.cx_record import answer, blank, day, line, masters


def raw_answers(rows: list[tuple[str, float | None, float | None, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "response_id": [f"A{i}" for i in range(len(rows))],
            "customer_id": [None] * len(rows),
            "question": [row[0] for row in rows],
            "raw": [row[1] for row in rows],
            "scale_min": [row[2] for row in rows],
            "scale_max": [row[3] for row in rows],
        },
        schema_overrides={
            "customer_id": pl.String,
            "raw": pl.Float64,
            "scale_min": pl.Float64,
            "scale_max": pl.Float64,
        },
    )


def test_scores_are_rescaled_and_codes_taken_out() -> None:
    rows = [
        ("overall", 1, 1, 5),
        ("overall", 4, 1, 5),
        ("overall", 10, 0, 10),
        ("overall", -99, 1, 5),
        ("overall", None, 1, 5),
    ]
    assert scaled_answers(raw_answers(rows))["score"].to_list() == [0.0, 75.0, 100.0, None, None]


def test_a_missing_scale_is_the_one_the_question_has() -> None:
    rows = [
        ("overall", 1, 1, 5),
        ("overall", 3, None, None),
        ("nps", 9, None, None),
        ("other", 7, None, None),
        ("other", -99, None, None),
    ]
    scaled = scaled_answers(raw_answers(rows))
    assert scaled["score"].to_list() == [0.0, 50.0, 90.0, 100.0, None]
    assert scaled["ten"].to_list()[2] == 9.0


def test_nps_scores_that_end_at_ten_stay_as_given() -> None:
    scaled = scaled_answers(raw_answers([("nps", 9, 1, 10), ("nps", 5, 1, 5)]))
    assert scaled["ten"].to_list() == [9.0, 10.0]


def test_alpha() -> None:
    # By hand: item variances 2.5 and 2.5, variance of the sum 9, so 2 (1 - 5/9).
    assert cronbach_alpha(np.array([[1, 2], [2, 1], [3, 4], [4, 3], [5, 5]])) == pytest.approx(2 * (1 - 5 / 9.0))
    assert cronbach_alpha(np.array([[1.0], [2.0]])) is None
    assert cronbach_alpha(np.empty((0, 3))) is None


def test_mean_of_one_person_has_no_interval() -> None:
    found = clustered_mean([80.0, 60.0], ["a", "a"])
    assert found is not None
    assert (found.value, found.low, found.n, found.people) == (70.0, None, 2, 1)
    assert clustered_mean([]) is None


def test_equal_answers_are_not_certainty() -> None:
    found = clustered_mean([100.0] * 5)
    assert found is not None
    assert found.low is not None
    assert found.low < 60
    assert found.high == 100.0


def test_student_interval() -> None:
    found = clustered_mean([10.0, 20.0, 30.0, 40.0], bounds=(-1000, 1000))
    assert found is not None
    assert found.error == pytest.approx(12.909944 / 2)
    assert found.low == pytest.approx(25 - 3.182446 * 6.454972)


def test_change_is_tested() -> None:
    change = change_between(60.0, 3.0, 50.0, 4.0)
    assert change is not None
    assert (change.difference, change.low, change.high) == pytest.approx((10.0, 10 - 9.79982, 10 + 9.79982))
    assert change.p_value == pytest.approx(0.0455, abs=1e-4)
    assert change_between(60.0, None, 50.0, 4.0) is None


def test_weights_restore_the_customers() -> None:
    customers = pl.DataFrame(
        {"person": [f"c{i}" for i in range(300)], "tier": ["gold"] * 100 + ["silver"] * 200, "channel": ["store"] * 300}
    )
    answered = pl.Series([f"c{i}" for i in range(50)] + [f"c{i}" for i in range(100, 120)])
    weights = response_weights(customers, answered).join(customers, on="person")
    shares = weights.group_by("tier").agg(pl.col("weight").sum() / 70).sort("tier")["weight"].to_list()
    assert shares == pytest.approx([1 / 3, 2 / 3])


def test_small_cells_are_pooled_and_weights_cut() -> None:
    customers = pl.DataFrame(
        {
            "person": [f"c{i}" for i in range(1020)],
            "tier": ["gold"] * 20 + ["silver"] * 1000,
            "channel": ["store"] * 1020,
        }
    )
    answered = pl.Series([f"c{i}" for i in range(26)])
    weights = response_weights(customers, answered)["weight"]
    assert weights.mean() == pytest.approx(1.0)
    assert weights.max() <= 5.0  # type: ignore[operator]
    assert response_weights(customers, pl.Series([], dtype=pl.String)).is_empty()
    assert response_weights(customers, pl.Series(["c0"]))["weight"].to_list() == [1.0]


def test_fields_and_premium() -> None:
    draw = np.random.default_rng(0)
    people = [f"c:{i}" for i in range(400)]
    heart = np.where(np.arange(400) % 2 == 0, 90.0, 40.0)
    scores = pl.DataFrame({"person": people, "head": [80.0] * 300 + [50.0] * 100, "heart": heart})
    behaviour = pl.DataFrame(
        {
            "person": people,
            "purchase_days": np.where(heart > 75, 3, 1),
            "spend": np.where(heart > 75, 1500.0, 1000.0) + draw.normal(0, 50, 400),
            "churned": heart < 75,
        }
    )
    lines = field_lines(scores)
    assert (lines.head, lines.heart, lines.moved) == (75.0, 75.0, ())
    fields = {(f["head"], f["heart"]): f for f in loyalty_fields(scores, behaviour, lines)}
    assert [fields[k]["customers"] for k in (("high", "high"), ("high", "low"), ("low", "high"), ("low", "low"))] == [
        150,
        150,
        50,
        50,
    ]
    assert fields["high", "high"]["repeat_rate"] == 1.0
    assert fields["high", "low"]["churn"] == 1.0
    premium = heart_premium(scores, behaviour, lines)
    assert premium["low"] < premium["ratio"] < premium["high"]  # type: ignore[operator]
    assert premium["ratio"] == pytest.approx(1.5, abs=0.03)


def test_the_line_moves_where_nearly_all_are_satisfied() -> None:
    scores = pl.DataFrame({"head": np.linspace(80, 100, 50), "heart": np.linspace(0, 100, 50)})
    lines = field_lines(scores)
    assert lines.moved == ("head",)
    assert lines.head == pytest.approx(90.0)


def test_behaviour_from_the_tills(session: Session) -> None:
    masters(session, customers=2, products=2)
    session.add_all(
        [
            line("C0", "P00", day(0), amount=500),
            line("C0", "P01", day(0, 1), amount=300),
            line("C0", "P01", day(10), amount=-300, quantity=-1.0),
            line("C0", "P00", day(20), amount=100, channel="ec"),
            line("C1", "P00", day(40), amount=50, store_id="002"),
            line(None, "P00", day(41), amount=70),
        ]
    )
    session.flush()
    found = customer_behaviour(session, Period(None, None)).sort("person")
    assert found["person"].to_list() == ["c:C0", "c:C1"]
    assert found["purchase_days"].to_list() == [2, 1]
    assert found["spend"].to_list() == [600.0, 50.0]
    assert found["channel"].to_list() == ["store", "store"]
    assert (found["last_day"] - found["first_day"]).to_list() == [20, 0]
    assert customer_behaviour(session, Period(None, None), store="002")["person"].to_list() == ["c:C1"]
    assert customer_behaviour(session, Period.of(None, date(2026, 1, 5)))["spend"].to_list() == [800.0]
    assert customer_behaviour(session, Period.of(None, day(0)))["person"].to_list() == []


def test_silence() -> None:
    behaviour = pl.DataFrame({"purchase_days": [3] * 20, "first_day": [0] * 20, "last_day": [40] * 10 + [100] * 10})
    assert silence_days(behaviour) == 105
    gone = with_churn(behaviour, 150, 105)["churned"].to_list()
    assert gone == [True] * 10 + [False] * 10
    assert silence_days(behaviour.head(9)) is None
    assert with_churn(behaviour, 90, 105)["churned"].to_list() == [None] * 20


def test_dates_include_their_last_day() -> None:
    period = Period.of(date(2026, 1, 5), date(2026, 1, 5))
    assert period.end is not None
    assert period.start is not None
    assert period.end - period.start == 86_400_000_000
    assert Period.of(None, datetime(2026, 1, 5, tzinfo=UTC)).end == 1767571200000000


def fill(session: Session, sheets: int, anonymous: int = 0) -> None:
    masters(session, customers=60, products=4)
    draw = np.random.default_rng(7)
    for i in range(sheets):
        who = {"customer_id": None if i < anonymous else f"C{i % 60}"}
        overall = int(draw.integers(1, 11))
        for question, score in (
            ("overall", overall),
            ("nps", overall),
            ("emotional_trust", overall),
            ("emotional_love", max(1, overall - 1)),
            ("rational_price", int(draw.integers(1, 11))),
        ):
            session.add(answer(f"A{i}", question, score, day(i % 50), **who))
        for touchpoint in ("store", "web"):
            session.add(
                answer(f"A{i}", "touchpoint", int(draw.integers(1, 11)), day(i % 50), touchpoint=touchpoint, **who)
            )
    for c in range(60):
        for week in range(6):
            session.add(line(f"C{c}", "P00", day(week * 7 + c % 7)))
    session.flush()


def test_report(session: Session) -> None:
    fill(session, 120, anonymous=10)
    found = report(session)
    raw = [a for a in session.query(Answer) if a.question == "nps"]
    by_hand = 100 * (sum(a.score >= 9 for a in raw) - sum(a.score <= 6 for a in raw)) / len(raw)
    assert found["nps"]["value"] == pytest.approx(by_hand)
    assert found["nps"]["low"] < by_hand < found["nps"]["high"]
    assert found["nps"]["n"] == 120
    assert found["nps"]["response_rate"] is None
    assert found["heart"]["alpha"] > 0.9
    assert found["head"]["alpha"] is None
    assert 0 < found["overall"]["low"] < found["overall"]["score"] < found["overall"]["high"] < 100
    assert sum(f["customers"] for f in found["fields"]) == 60
    assert all(f["lifetime_value"] > 1000 for f in found["fields"] if f["customers"])
    assert [t["touchpoint"] for t in found["touchpoints"]] == ["store", "web"]
    assert found["nps"]["change"]["low"] < found["nps"]["change"]["high"]
    assert found["reach"] == 1.0
    assert any("anonymous" in note for note in found["notes"])


def test_report_counts_the_unanswered(session: Session) -> None:
    masters(session, customers=4)
    for i, score in enumerate((10.0, 9.0, None, -99.0)):
        session.add(answer(f"A{i}", "nps", score, day(i), customer_id=f"C{i}"))
    session.flush()
    found = report(session)["nps"]
    assert (found["value"], found["n"], found["response_rate"]) == (100.0, 2, 0.5)


def test_report_of_a_later_period_is_compared_with_the_one_before(session: Session) -> None:
    masters(session)
    for i in range(40):
        session.add(answer(f"A{i}", "overall", 4.0 if i < 20 else 9.0 - i % 2, day(i / 2)))
    session.flush()
    change = report(session, start=(day(10) - timedelta(hours=1)))["overall"]["change"]
    assert change["previous"] == pytest.approx(100 * 3 / 9)
    assert change["low"] > 40


@pytest.mark.parametrize("sheets", [0, 1])
def test_report_on_next_to_nothing(session: Session, sheets: int) -> None:
    masters(session, customers=1)
    for i in range(sheets):
        session.add(answer(f"A{i}", "overall", 9, day(1), customer_id="C0"))
    session.flush()
    found = report(session)
    assert set(found) >= {"nps", "heart", "head", "overall", "fields", "touchpoints", "notes"}
    assert set(found["nps"]) >= {"value", "low", "high", "n", "response_rate"}
    assert set(found["heart"]) >= {"score", "low", "high", "n", "alpha"}
    assert len(found["fields"]) == 4
    assert found["overall"]["n"] == sheets
    assert found["overall"]["low"] is None
    assert found["notes"]


def test_the_response_rate_comes_from_invitations_that_have_had_their_time(session: Session) -> None:
    masters(session, customers=30)
    for n in range(30):
        made = day(n % 3)
        session.add(
            blank(Invitation, invitation_id=f"I{n}", token_hash=f"T{n}", survey_id="V", version=1, occasion=f"O{n}",
                  customer_id=f"C{n}", occurred_at=made, made_at=made, expires_at=made + timedelta(days=7),
                  answered_at=made if n < 12 else None)
        )  # fmt: skip
    late = blank(Invitation, invitation_id="late", token_hash="late", survey_id="V", version=1, occasion="late",
                 customer_id="C1", occurred_at=day(18), made_at=day(18), expires_at=day(25))  # fmt: skip
    other = blank(Invitation, invitation_id="x", token_hash="x", survey_id="ONETAP", version=1, occasion="x",
                  customer_id="C1", occurred_at=day(1), made_at=day(1), expires_at=day(2))  # fmt: skip
    session.add_all([late, other, *(answer(f"A{n}", "nps", 9, day(20 if n == 0 else n % 3)) for n in range(12))])
    session.flush()
    nps = report(session)["nps"]
    assert (nps["response_rate"], nps["asked"]) == (0.4, 30)
    assert nps["response_low"] < 0.4 < nps["response_high"]
    assert not [note for note in report(session)["notes"] if "response rate is unknown" in note]
