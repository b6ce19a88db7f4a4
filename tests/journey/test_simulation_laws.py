"""The invented chain keeps its laws: a year of a middling chain, measured the way an analyst would."""

from datetime import date
from pathlib import Path

import holidays
import numpy as np
import polars as pl
import pytest

from journey.simulation import Laws, simulate
from tests.journey.test_simulation import read

END = date(2026, 10, 1)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("year")
    simulate(folder, stores=3, customers=3000, days=365, seed=11, end=END, dirty_share=0.0)
    return folder


@pytest.fixture(scope="module")
def lines(year: Path) -> pl.DataFrame:
    """Bought lines with the customer that a card or an account leads to, and the product's master data."""
    cards = read(year, "identities").filter(pl.col("kind") == "card").select(card_no="value", holder="customer_id")
    products = read(year, "products").select("product_id", "category")
    return (
        read(year, "pos_lines")
        .filter(pl.col("quantity") > 0)
        .join(cards, on="card_no", how="left")
        .join(products, on="product_id")
        .with_columns(
            customer=pl.coalesce("customer_id", "holder"),
            day=pl.col("sold_at").dt.date(),
            leaf=pl.col("category").str.split(" > ").list.last(),
        )
    )


@pytest.fixture(scope="module")
def receipts(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.group_by("receipt_id").agg(
        pl.len().alias("n"), pl.col("customer", "card_no", "channel", "day", "store_id", "sold_at").first()
    )


def test_baskets_and_visits_feel_like_retail(receipts: pl.DataFrame) -> None:
    assert 3 <= receipts["n"].mean() <= 6
    at_till = receipts.filter(pl.col("channel") == "store")
    unknown = (at_till["card_no"].is_null() & at_till["customer"].is_null()).mean()
    assert 0.15 <= unknown <= 0.25
    known = receipts.filter(pl.col("customer").is_not_null()).sort("customer", "sold_at")
    gaps = known.with_columns(gap=pl.col("sold_at").diff().over("customer").dt.total_days())
    per = gaps.group_by("customer").agg(pl.len().alias("n"), pl.col("gap").mean())
    assert 10 <= per.filter(pl.col("n") >= 4)["gap"].mean() <= 20
    assert 0.10 <= (per["n"] == 1).mean() <= 0.20
    assert set(receipts["channel"]) == {"store", "ec", "app"}


def test_repeat_purchases_are_a_third_to_three_fifths(lines: pl.DataFrame) -> None:
    known = lines.filter(pl.col("customer").is_not_null())
    first = known.group_by("customer", "product_id").agg(first=pl.col("day").min())
    known = known.join(first, on=["customer", "product_id"])
    assert 0.35 <= (known["day"] > known["first"]).mean() <= 0.60


def test_popularity_has_a_heavy_tail(lines: pl.DataFrame) -> None:
    counts = np.sort(lines["product_id"].value_counts()["count"].to_numpy())[::-1]
    share = np.cumsum(counts) / counts.sum()
    assert 0.60 < share[len(counts) // 5] < 0.85
    assert counts[0] > 50 * np.median(counts) / 5
    assert counts[-1] < 0.1 * np.median(counts) + 5


@pytest.mark.parametrize(("leaf", "low", "high"), [("歯みがき粉", 30, 75), ("シャンプー", 30, 85), ("即席めん", 9, 45)])
def test_goods_have_repurchase_cycles_of_their_own(lines: pl.DataFrame, leaf: str, low: float, high: float) -> None:
    bought = lines.filter((pl.col("leaf") == leaf) & pl.col("customer").is_not_null())
    days = bought.select("customer", "day").unique().sort("customer", "day")
    gap = days.with_columns(gap=pl.col("day").diff().over("customer").dt.total_days())["gap"].drop_nulls()
    assert low <= gap.median() <= high


def test_seasons_move_their_goods(lines: pl.DataFrame) -> None:
    by_month = lines.group_by("leaf", month=pl.col("day").dt.month()).agg(pl.len().alias("n"))

    def share(leaf: str, months: tuple[int, ...]) -> float:
        mine = by_month.filter(pl.col("leaf") == leaf)
        return float(mine.filter(pl.col("month").is_in(months))["n"].sum() / mine["n"].sum())

    assert share("日やけ止め", (5, 6, 7, 8)) > 0.50
    assert share("使い捨てカイロ", (12, 1, 2)) > 0.55
    assert share("花粉対策用品", (2, 3, 4)) > 0.42
    assert 0.20 < share("歯みがき粉", (5, 6, 7, 8)) < 0.45


def test_arrivals_are_poisson_at_the_true_rates_of_quarter_weekday_and_holiday(year: Path) -> None:
    traffic, days, rates = read(year, "traffic"), read(year / "truth", "days"), read(year / "truth", "arrivals")
    japan = holidays.country_holidays("JP", years=range(2025, 2027))
    for row in days.iter_rows(named=True):
        assert (row["holiday"] == "true") == (date.fromisoformat(row["date"]) in japan)
        assert (row["day_kind"] == "holiday") == (row["holiday"] == "true")
    at = pl.col("starts_at")
    expected = (
        traffic.with_columns(
            date=at.dt.date().cast(pl.String),
            starts=at.dt.strftime("%H:%M"),
        )
        .join(days, on="date")
        .join(rates, on=["store_id", "day_kind", "starts"])
        .with_columns(mean=pl.col("rate").cast(pl.Float64) * pl.col("factor").cast(pl.Float64))
    )
    observed, mean = expected["entered"].to_numpy(), expected["mean"].to_numpy()
    assert abs(observed.sum() / mean.sum() - 1) < 0.03
    pearson = ((observed - mean) ** 2 / mean).mean()  # 1 for a Poisson process
    assert 0.93 < pearson < 1.10
    evening = expected.filter(pl.col("starts").is_between(pl.lit("17:00"), pl.lit("18:45")))
    assert abs(evening["entered"].sum() / evening["mean"].sum() - 1) < 0.05
    assert traffic["entered"].sum() == traffic["left"].sum()


def test_queues_form_and_some_leave_unserved(year: Path) -> None:
    service = pl.read_csv(year / "truth" / "service.csv")
    share = service["unserved"].sum() / service["sought"].sum()
    assert 0.05 < share < 0.30
    sets = read(year, "suggestions").join(read(year, "outcomes"), on="suggestion_id", suffix="_tap")
    length = sets.group_by("customer_id", "shown_at").agg(last=pl.col("occurred_at").max(), taps=pl.len())
    whole = length.filter(pl.col("taps") >= 3)
    seconds = (whole["last"] - whole["shown_at"]).dt.total_seconds().to_numpy().astype(float)
    assert abs(seconds.mean() / Laws().service_mean_seconds - 1) < 0.12
    assert abs(seconds.std() / seconds.mean() - Laws().service_cv) < 0.25  # a log-normal's sample CV is low


def test_what_was_browsed_is_bought_more_often(year: Path, lines: pl.DataFrame) -> None:
    web = read(year, "web_events").filter((pl.col("kind") == "view") & pl.col("customer_id").is_not_null())
    viewed = web.select("customer_id", "product_id", seen=pl.col("occurred_at"))
    bought = lines.filter((pl.col("channel") == "store") & pl.col("customer").is_not_null())
    bought = bought.select("customer", "product_id", at="sold_at")
    soon = viewed.join(bought, left_on=["customer_id", "product_id"], right_on=["customer", "product_id"])
    wait = (soon["at"] - soon["seen"]).dt.total_days()
    # the fortnight after a view against the fortnight before it, for the same customer and product
    after, before = ((wait >= 0) & (wait < 14)).sum(), ((wait >= -14) & (wait < 0)).sum()
    assert after > 1.4 * before
    links = read(year / "truth", "web_links")
    assert set(links["how"]) == {"same", "substitute", "order"}
    key = links.select("receipt_id", "line_no", "product_id").with_columns(pl.col("line_no").cast(pl.Int64))
    rung = read(year, "pos_lines").select("receipt_id", pl.col("line_no").cast(pl.Int64), "product_id")
    assert key.join(rung, on=["receipt_id", "line_no", "product_id"], how="anti").height == 0
    # a session comes before the purchase it led to
    begun = read(year, "web_events").group_by("session_id").agg(begun=pl.col("occurred_at").min())
    paid = lines.select("receipt_id", "sold_at").unique("receipt_id")
    led = links.join(begun, on="session_id").join(paid, on="receipt_id")
    assert led.height == links.height
    assert (led["begun"] < led["sold_at"]).all()


def test_clerks_true_success_shows_in_what_they_reach(year: Path) -> None:
    proposed = read(year, "outcomes").filter(pl.col("result") != "not_proposed")
    reached = proposed.group_by("clerk_id").agg(n=pl.len(), rate=(pl.col("result") == "bought").mean())
    both = reached.join(pl.read_csv(year / "truth" / "clerks.csv"), on="clerk_id").filter(pl.col("n") >= 300)
    assert both.height >= 10
    assert np.corrcoef(both["rate"], both["true_success"])[0, 1] > 0.85
    assert abs(both["rate"].mean() - both["true_success"].mean()) < 0.03


def test_accepted_suggestions_are_on_a_receipt_of_that_day(year: Path, lines: pl.DataFrame) -> None:
    taps = read(year, "outcomes").filter(pl.col("result") == "bought")
    taps = taps.join(read(year, "suggestions"), on="suggestion_id").with_columns(day=pl.col("shown_at").dt.date())
    cards = read(year / "truth", "one_id").filter(pl.col("kind") == "card")
    taps = taps.join(cards.select("value", customer_id="person_id"), on="customer_id", how="left")
    rung = lines.select("store_id", "product_id", "day", value="card_no").unique()
    holders = taps.filter(pl.col("value").is_not_null())
    found = holders.join(rung, on=["store_id", "product_id", "day", "value"], how="semi")
    assert 0.94 < found.height / holders.height < 0.995  # a few taps never reach the till


def test_suggesting_lifts_purchases_over_the_holdout_as_the_truth_says(year: Path) -> None:
    shown = read(year, "suggestions").join(read(year / "truth", "acceptance"), on="suggestion_id")
    bought = shown.with_columns(bought=pl.col("on_receipt") == "true").group_by("arm")
    rates = {row["arm"]: row["bought"] for row in bought.agg(pl.col("bought").mean()).iter_rows(named=True)}
    assert rates["suggested"] > rates["holdout"] + 0.05
    customers = shown.select("customer_id", "arm").unique()
    truth = read(year / "truth", "customers")
    arms = truth.join(customers, on="customer_id").filter(pl.col("arm") != pl.col("arm_right"))
    assert arms.height == 0
    assert abs((truth["arm"] == "holdout").mean() - Laws().holdout_share) < 0.02
    uplift = pl.read_csv(year / "truth" / "uplift.csv").group_by("group").agg(pl.col("uplift").mean())
    by_group = dict(uplift.iter_rows())
    assert by_group["persuadable"] > by_group["sure_thing"] > by_group["sleeping_dog"]
    assert by_group["sleeping_dog"] < 0 < by_group["lost_cause"] < by_group["persuadable"]


def test_practices_raise_acceptance_by_their_odds(year: Path) -> None:
    truth = {row["practice"]: row for row in pl.read_csv(year / "truth" / "practices.csv").iter_rows(named=True)}
    assert truth["follows_rank"]["marginal_odds_ratio"] == pytest.approx(1.0)
    proposed = read(year, "outcomes").filter(pl.col("result") != "not_proposed")
    made = proposed.join(read(year / "truth", "acceptance"), on="suggestion_id")
    bought = (made["result"] == "bought").to_numpy()
    listened = (made["listen_first"] == "true").to_numpy()
    could = (made["service_seconds"].cast(pl.Int64) > 80).to_numpy()
    rate, other = bought[could & listened].mean(), bought[could & ~listened].mean()
    seen = rate / (1 - rate) / (other / (1 - other))
    error = np.sqrt(
        sum(1 / (n * p * (1 - p)) for n, p in ((sum(could & listened), rate), (sum(could & ~listened), other)))
    )
    assert abs(np.log(seen) - np.log(truth["listen_first"]["marginal_odds_ratio"])) < 4 * error
    assert 1 < truth["listen_first"]["marginal_odds_ratio"] < truth["listen_first"]["odds_ratio"]


def test_loyalty_of_the_heart_pays_and_answers(year: Path, lines: pl.DataFrame) -> None:
    truth = pl.read_csv(year / "truth" / "customers.csv").filter(pl.col("registered") & ~pl.col("one_time"))
    spent = lines.group_by(customer_id="customer").agg(pl.col("amount").sum())
    both = truth.join(spent, on="customer_id", how="left").with_columns(pl.col("amount").fill_null(0))
    third = both["heart"].rank() / both.height
    gain = both.filter(third > 2 / 3)["amount"].mean() / both.filter(third < 1 / 3)["amount"].mean()
    assert 1.25 < gain < 2.6  # emotionally satisfied customers are worth 25–100 % more, and leave less
    answered = read(year, "answers").filter(pl.col("survey_id") == "PERIODIC").select("customer_id").unique()
    heart = both.with_columns(told=pl.col("customer_id").is_in(answered["customer_id"].implode()))
    assert heart.filter(pl.col("told"))["heart"].mean() > heart.filter(~pl.col("told"))["heart"].mean() + 0.15


def test_survey_scores_recover_the_drivers_in_order(year: Path) -> None:
    sheets = read(year, "answers").filter(pl.col("survey_id") == "PERIODIC")
    named = sheets.with_columns(
        item=pl.when(pl.col("question") == "touchpoint").then("touchpoint").otherwise("question"),
        score=pl.col("score").cast(pl.Float64),
    )
    wide = named.pivot(on="item", index="response_id", values="score", aggregate_function="first")
    touchpoints = ["store", "app", "delivery", "web", "call"]
    columns = [*touchpoints, "overall"]
    r = np.array([[wide.drop_nulls([a, b]).select(pl.corr(a, b)).item() for b in columns] for a in columns])
    weights = np.linalg.solve(r[:5, :5], r[:5, 5])
    truth = pl.read_csv(year / "truth" / "drivers.csv").filter(pl.col("kgi") == "overall").sort("order")
    assert truth["lmg_share"].sum() == pytest.approx(1.0)
    assert truth["touchpoint"].to_list() == touchpoints
    assert np.argmax(weights) == 0
    assert np.corrcoef(weights, truth["weight"])[0, 1] > 0.9
    nps = sheets.filter(pl.col("question") == "nps")
    assert nps["scale_min"].unique().to_list() == ["0"]
    assert nps["score"].cast(pl.Int64).is_between(0, 10).all()


def test_comments_fit_their_scores(year: Path) -> None:
    answers = read(year, "answers").filter(pl.col("comment").is_not_null() & (pl.col("survey_id") == "ONETAP-STORE"))
    truth = read(year / "truth", "comments")
    told = answers.join(truth, on=["response_id", "question"])
    assert told.height == answers.height > 300
    score = told.select("sentiment", pl.col("score").cast(pl.Float64))
    means = dict(score.group_by("sentiment").agg(pl.col("score").mean()).iter_rows())
    assert means["positive"] > means["negative"] + 0.8
    assert told["comment"].n_unique() > 0.4 * told.height
    assert truth["theme"].n_unique() >= 10


def test_planted_actions_move_only_their_own_store(year: Path) -> None:
    actions = {row["event"]: row for row in read(year / "truth", "actions").iter_rows(named=True)}
    taps = (
        read(year, "answers")
        .filter(pl.col("survey_id") == "ONETAP-STORE")
        .with_columns(pl.col("score").cast(pl.Float64))
    )

    def change(store: str, others: list[str]) -> float:
        """Difference in differences against stores where nothing happened."""
        late = pl.col("asked_at") >= actions["service_training"]["starts_on"]
        moved = []
        for here in (pl.col("store_id") == store, pl.col("store_id").is_in(others)):
            mine = taps.filter(here)
            moved.append(float(mine.filter(late)["score"].mean()) - float(mine.filter(~late)["score"].mean()))
        return moved[0] - moved[1]

    trained, dressed = actions["service_training"]["store_id"], actions["new_uniforms"]["store_id"]
    assert change(trained, ["S001", "S003"]) == pytest.approx(0.28, abs=0.18)
    assert change(dressed, ["S003"]) == pytest.approx(0.0, abs=0.25)


def test_response_rates_follow_from_invitations(year: Path) -> None:
    asked = pl.read_csv(year / "truth" / "asked.csv").filter(pl.col("survey_id") == "PERIODIC")
    sent = read(year, "web_events").filter(
        (pl.col("kind") == "mail_sent") & (pl.col("content_id") == "SURVEY-PERIODIC")
    )
    assert sent.height == asked["asked"].sum()
    sheets = read(year, "answers").filter(pl.col("survey_id") == "PERIODIC")["response_id"].n_unique()
    assert sheets == pytest.approx(asked["answered"].sum(), rel=0.02)  # some answer after the window's end
