"""The extract folder of the invented chain: its tables, keys, names, codes, dirt and reproducibility."""

import csv
import json
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from journey.simulation import simulate
from journey.simulation.products import jan_code

COLUMNS = {
    "stores": "store_id name area timezone opened_on",
    "clerks": "clerk_id store_id name role hired_on left_on",
    "products": "product_id name category brand price released_on discontinued_on attributes",
    "customers": "customer_id name kana joined_on birth_year gender area tier consent_profiling consent_contact",
    "identities": "kind value customer_id linked_at",
    "pos_lines": "receipt_id line_no store_id sold_at channel customer_id card_no product_id quantity amount discount "
    "coupon_id clerk_id",
    "web_events": "event_id occurred_at visitor_id session_id customer_id kind product_id content_id page query "
    "referrer",
    "stock": "store_id product_id quantity as_of",
    "coupons": "coupon_id name kind value valid_from valid_until product_id category channels",
    "coupon_grants": "coupon_id customer_id granted_at channel redeemed_at redeemed_channel",
    "traffic": "store_id starts_at minutes entered left",
    "shifts": "clerk_id store_id starts_at ends_at duty",
    "orders": "order_id customer_id store_id ordered_at pickup_at status",
    "contacts": "contact_id customer_id channel started_at seconds topic resolved",
    "suggestions": "suggestion_id customer_id store_id clerk_id shown_at product_id rank score propensity model policy "
    "arm reason",
    "outcomes": "outcome_id suggestion_id clerk_id occurred_at result why",
    "surveys": "survey_id name kind touchpoint",
    "answers": "response_id question touchpoint survey_id customer_id store_id asked_at answered_at score scale_min "
    "scale_max comment",
    "clerk_targets": "campaign_id name starts_on ends_on product_id category stores",
    "store_events": "event_id name store_id starts_at ends_at category",
}
KEYS = {
    "stores": ["store_id"],
    "clerks": ["clerk_id"],
    "products": ["product_id"],
    "customers": ["customer_id"],
    "identities": ["kind", "value"],
    "pos_lines": ["receipt_id", "line_no", "store_id"],
    "web_events": ["event_id"],
    "stock": ["store_id", "product_id"],
    "coupon_grants": ["coupon_id", "customer_id"],
    "traffic": ["store_id", "starts_at"],
    "shifts": ["clerk_id", "starts_at"],
    "orders": ["order_id"],
    "contacts": ["contact_id"],
    "suggestions": ["suggestion_id"],
    "outcomes": ["outcome_id"],
    "answers": ["response_id", "question", "touchpoint"],
    "clerk_targets": ["campaign_id"],
    "store_events": ["event_id"],
}
TRUTH = (
    "clerks", "customers", "products", "uplift", "acceptance", "arrivals", "days", "service", "web_links", "drivers",
    "practices", "actions", "events", "comments", "asked", "one_id", "dirty", "true_rates",
)  # fmt: skip


def read(folder: Path, name: str) -> pl.DataFrame:
    """A table of an extract; CSV columns as text, so that nothing is guessed."""
    if (folder / f"{name}.parquet").exists():
        return pl.read_parquet(folder / f"{name}.parquet")
    return pl.read_csv(folder / f"{name}.csv", infer_schema=False)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    simulate(folder, stores=2, customers=400, days=60, seed=5, end=date(2026, 3, 1), dirty_share=0.0)
    return folder


def test_every_table_of_the_contract_is_there_with_its_columns(clean: Path) -> None:
    for name, columns in COLUMNS.items():
        assert read(clean, name).columns == columns.split(), name
        assert read(clean, name).height > 0, name
    for name in TRUTH:
        assert (clean / "truth" / f"{name}.csv").exists(), name
    laws = json.loads((clean / "truth" / "laws.json").read_text(encoding="utf-8"))
    assert laws["setting"]["end"] == "2026-03-01"
    assert laws["laws"]["service_cv"] == 1.21


def test_natural_keys_are_unique_and_references_hold(clean: Path) -> None:
    for name, key in KEYS.items():
        table = read(clean, name)
        assert table.select(key).is_duplicated().sum() == 0, name
    products = set(read(clean, "products")["product_id"])
    stores = set(read(clean, "stores")["store_id"])
    customers = set(read(clean, "customers")["customer_id"])
    clerks = set(read(clean, "clerks")["clerk_id"])
    for name in COLUMNS:
        table = read(clean, name)
        for column, known in (
            ("product_id", products), ("store_id", stores), ("customer_id", customers), ("clerk_id", clerks),
        ):  # fmt: skip
            if column in table.columns:
                assert set(table[column].drop_nulls()) <= known, (name, column)
    assert set(read(clean, "outcomes")["suggestion_id"]) <= set(read(clean, "suggestions")["suggestion_id"])


def test_all_times_lie_within_the_window_and_carry_an_offset(clean: Path) -> None:
    low, high = "2025-12-31T00:00:00+09:00", "2026-03-01T00:00:00+09:00"
    answered = read(clean, "answers")["answered_at"]
    assert answered.str.ends_with("+09:00").all()
    assert low <= answered.min() <= answered.max() < high
    for name, column in (("pos_lines", "sold_at"), ("web_events", "occurred_at"), ("suggestions", "shown_at")):
        moments = read(clean, name)[column]
        assert moments.dtype == pl.Datetime("us", "Asia/Tokyo")
        assert low <= moments.dt.strftime("%Y-%m-%dT%H:%M:%S+09:00").min()
        assert moments.dt.strftime("%Y-%m-%dT%H:%M:%S+09:00").max() < high


@pytest.mark.parametrize("days", [7, 60, 75, 150])
def test_when_the_window_ends_a_campaign_goes_on_and_every_store_has_an_event_ahead(tmp_path: Path, days: int) -> None:
    end = date(2026, 3, 1)
    simulate(tmp_path, stores=2, customers=30, products=200, days=days, seed=5, end=end, dirty_share=0.0)
    targets = read(tmp_path, "clerk_targets")
    assert (targets["starts_on"] <= targets["ends_on"]).all()
    week_on = str(end + timedelta(days=7))
    running = targets.filter((pl.col("starts_on") < str(end)) & (pl.col("ends_on") >= week_on))
    assert running.height >= 1
    suggested = set(read(tmp_path, "suggestions")["product_id"])  # and clerks have begun to propose it
    products = read(tmp_path, "products")
    focused = products.join(running.select("category"), on="category", how="semi")["product_id"].to_list()
    focused += running["product_id"].drop_nulls().to_list()
    if days >= 60:
        assert suggested & set(focused)
    events = read(tmp_path, "store_events")
    assert (events["starts_at"] < events["ends_at"]).all()
    ahead = events.filter(pl.col("ends_at").is_between(pl.lit(str(end)), pl.lit(week_on + "T23")))
    assert set(ahead["store_id"]) == {"S001", "S002"}
    tops = set(products["category"].str.split(" > ").list.first())
    assert set(events["category"]) <= tops
    truth = pl.read_csv(tmp_path / "truth" / "events.csv")
    assert truth["event_id"].to_list() == events["event_id"].to_list()
    assert set(truth["effect"]) == {0.0}


def test_product_codes_are_valid_jan_codes() -> None:
    # published examples of the modulo-10 check digit
    assert jan_code("490123456789") == "4901234567894"
    assert jan_code("400638133393") == "4006381333931"


def test_products_look_like_a_japanese_drugstore(clean: Path) -> None:
    products = read(clean, "products")
    for code in products["product_id"]:
        assert re.fullmatch(r"4[59]\d{11}", code)
        digits = [int(c) for c in code]
        assert (sum(digits[0::2]) + 3 * sum(digits[1::2])) % 10 == 0
    assert products["name"].is_duplicated().mean() < 0.05
    assert products["category"].str.contains(" > ").all()
    tops = set(products["category"].str.split(" > ").list.first())
    assert {
        "医薬品",
        "スキンケア",
        "オーラルケア",
        "紙製品",
        "食品",
        "飲料",
        "ベビー",
        "ペット",
        "サプリ・健康",
    } <= tops
    notes = [json.loads(text) for text in products["attributes"]]
    restricted = products.filter(pl.Series([n["age_restricted"] for n in notes]))
    assert set(restricted["category"].str.split(" > ").list.first()) == {"酒類", "たばこ・嗜好"}
    assert any(n.get("otc_class") == "第1類" and n["sensitive"] for n in notes)
    offered = set(read(clean, "suggestions")["product_id"])
    assert not offered & set(restricted["product_id"])


def test_names_have_kanji_and_katakana_readings(clean: Path) -> None:
    customers = read(clean, "customers")
    assert customers["kana"].str.contains(r"^[ァ-ヴー]+ [ァ-ヴー]+$").all()
    assert customers["name"].str.contains(r"^\S+ \S+$").all()
    assert customers["name"].n_unique() > 0.9 * customers.height


def test_identities_lead_receipts_browsing_and_mails_to_one_person(clean: Path) -> None:
    identities, truth = read(clean, "identities"), read(clean / "truth", "one_id")
    own = truth.filter((pl.col("linked") == "true") & (pl.col("shared") == "false"))
    found = identities.join(own, on=["kind", "value"], how="inner")
    assert found.height == identities.height
    assert (found["customer_id"] == found["person_id"]).all()
    cards = identities.filter(pl.col("kind") == "card")
    assert cards["value"].str.starts_with("00").any()
    assert cards["value"].str.starts_with("27").any()
    used = read(clean, "pos_lines").filter(pl.col("card_no").is_not_null())["card_no"].unique()
    unregistered = set(used) - set(cards["value"])
    assert unregistered  # cards that nobody registered, or registers only after the window
    assert len(unregistered) < 0.2 * len(used)
    cookies = truth.filter(pl.col("kind") == "cookie")
    assert 0.05 < (cookies["linked"] == "false").mean() < 0.30
    shared = truth.filter(pl.col("shared") == "true")
    assert (shared["person_id"] != shared["customer_id"]).all()


def test_propensities_are_one_over_the_pool_for_every_place_of_a_screen(clean: Path) -> None:
    sets = (
        read(clean, "suggestions")
        .group_by("customer_id", "shown_at")
        .agg(
            pl.col("propensity").n_unique().alias("kinds"),
            pl.col("propensity").first(),
            pl.col("rank").sort().alias("ranks"),
            pl.col("product_id").n_unique().alias("different"),
            pl.col("arm").n_unique().alias("arms"),
        )
    )
    assert (sets["kinds"] == 1).all()
    assert (sets["arms"] == 1).all()
    size = 1 / sets["propensity"]
    assert (size - size.round()).abs().max() < 1e-6
    assert (sets["ranks"].list.len() == sets["different"]).all()
    assert (sets["ranks"].list.max() == sets["ranks"].list.len()).all()
    assert (sets["ranks"].list.len() <= size + 1e-6).all()


def test_holdout_customers_are_never_shown_anything_by_a_clerk(clean: Path) -> None:
    suggestions, outcomes = read(clean, "suggestions"), read(clean, "outcomes")
    held = suggestions.filter(pl.col("arm") == "holdout")
    assert held.height > 0
    assert held["clerk_id"].null_count() == held.height
    assert not set(held["suggestion_id"]) & set(outcomes["suggestion_id"])
    assert not set(held["customer_id"]) & set(suggestions.filter(pl.col("arm") == "suggested")["customer_id"])


def test_coupons_are_redeemed_once_within_their_time_on_their_channels(clean: Path) -> None:
    grants = read(clean, "coupon_grants").join(read(clean, "coupons"), on="coupon_id")
    used = grants.filter(pl.col("redeemed_at").is_not_null())
    assert used.height > 0
    assert (used["redeemed_at"] > used["granted_at"]).all()
    last = used["valid_until"].str.to_date()
    assert (used["redeemed_at"].dt.date() <= last).all()
    allowed = used.select(pl.col("channels").str.split("|").list.contains(pl.col("redeemed_channel")))
    assert allowed.to_series().all()
    lines = read(clean, "pos_lines").filter(pl.col("coupon_id").is_not_null() & (pl.col("quantity") > 0))
    assert lines.height == used.height
    assert (lines["discount"] > 0).all()


def test_returns_bring_back_what_was_bought(clean: Path) -> None:
    lines = read(clean, "pos_lines")
    back = lines.filter(pl.col("quantity") < 0)
    assert 0.004 < back.height / lines.height < 0.03
    assert (back["amount"] < 0).all()
    bought = lines.filter(pl.col("quantity") > 0).select("store_id", "product_id", "quantity").unique()
    matched = back.with_columns(quantity=-pl.col("quantity")).join(
        bought, on=["store_id", "product_id", "quantity"], how="semi"
    )
    assert matched.height == back.height


def test_same_seed_same_rows_and_another_seed_other_rows(tmp_path: Path) -> None:
    size = {"stores": 2, "customers": 150, "days": 21, "end": date(2026, 8, 1)}
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        simulate(tmp_path / name, seed=seed, **size)
    for path in sorted((tmp_path / "a").rglob("*.*")):
        twin = tmp_path / "b" / path.relative_to(tmp_path / "a")
        if path.suffix == ".parquet":
            assert pl.read_parquet(path).equals(pl.read_parquet(twin)), path.name
        else:
            assert path.read_bytes() == twin.read_bytes(), path.name
    assert not read(tmp_path / "a", "pos_lines").equals(read(tmp_path / "c", "pos_lines"))


def test_dirty_rows_are_as_many_as_the_truth_says(tmp_path: Path) -> None:
    summary = simulate(tmp_path, stores=2, customers=300, days=30, seed=2, end=date(2026, 8, 1), dirty_share=0.01)
    with (tmp_path / "truth" / "dirty.csv").open(encoding="utf-8") as file:
        dirty = list(csv.DictReader(file))
    clean_rows = summary["clean_rows"]
    assert isinstance(clean_rows, dict)
    for name in ("pos_lines", "web_events", "answers", "products"):
        added = sum(int(row["rows"]) for row in dirty if row["table"] == name)
        assert read(tmp_path, name).height == clean_rows[name] + added, name
    lines = read(tmp_path, "pos_lines")
    told = {row["kind"]: int(row["rows"]) for row in dirty if row["table"] == "pos_lines"}
    assert lines["sold_at"].null_count() == told["no date"] > 0
    assert (lines["quantity"] == 0).sum() == told["zero quantity"] > 0
    assert lines["product_id"].null_count() == told["no product"] > 0
    known = set(read(tmp_path, "products")["product_id"])
    assert sum(p not in known for p in lines["product_id"].drop_nulls()) == told["unknown product"] > 0
    again = lines.filter(lines.select(KEYS["pos_lines"]).is_duplicated())
    twice = again.filter(again.is_duplicated())
    assert twice.unique().height == told["receipt line twice"] > 0
    assert again.height - twice.height == 2 * told["receipt line again with other content"] > 0


def test_impossible_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="customers ≥ 10"):
        simulate(tmp_path, customers=3)


def test_the_smallest_chain_still_writes_every_table(tmp_path: Path) -> None:
    simulate(tmp_path, stores=1, customers=10, products=20, days=7, seed=1, end=date(2026, 1, 8))
    for name, columns in COLUMNS.items():
        assert read(tmp_path, name).columns == columns.split(), name


def test_the_simulation_loads_nothing_of_the_record() -> None:
    program = (
        "import sys, journey.simulation; "
        "print(sorted(m for m in sys.modules if m.split('.')[0] == 'sqlalchemy' or m.startswith('journey.')))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "sqlalchemy" not in loaded
    assert not re.search(r"'journey\.(?!simulation)", loaded)
