from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recommender.artefacts import read_model, write_model
from recommender.candidates.session_features import FEATURES, Pairs, pairs
from recommender.candidates.session_statistics import SessionStatistics
from recommender.candidates.session_table import LENGTH, Contexts, Sessions, sessions_of
from recommender.candidates.sessions import SessionRanker, fit, hits
from recommender.context_output import context_recommendations
from recommender.dataset import INTEREST_KINDS, WebTable
from tests.recommender.worlds import lists, model, neighbours, new

HOUR = 3_600_000_000


def web(*rows: tuple[int, int, float, str]) -> WebTable:
    """session, product, minutes, kind; in order."""
    return WebTable(
        customer=np.full(len(rows), -1, np.int32),
        session=np.array([r[0] for r in rows], np.int32),
        product=np.array([r[1] for r in rows], np.int32),
        time=np.array([int(r[2] * 60e6) for r in rows], np.int64),
        kind=np.array([INTEREST_KINDS.index(r[3]) for r in rows], np.int32),
    )


def test_a_pause_begins_a_new_session_and_a_purchase_is_no_look() -> None:
    sessions = sessions_of(
        web((0, 1, 500, "view"), (0, 2, 501, "view"), (0, 2, 502, "purchase"), (0, 3, 540, "view"), (0, 4, 541, "cart"),
            (1, 5, 0, "view"), (1, 5, 1, "view"), (2, 6, 9, "view"))
    )  # fmt: skip
    assert [sessions.product[a:b].tolist() for a, b in pairwise(sessions.indptr)] == [
        [5, 5], [1, 2], [3, 4],
    ]  # fmt: skip
    assert (np.diff(sessions.start) > 0).all()


def test_contexts_are_what_came_before_each_look() -> None:
    sessions = Sessions(np.array([0, 3, 5]), np.array([7, 8, 9, 1, 2], np.int32), np.array([0.0, 1.0]))
    contexts, following = sessions.contexts(10, np.random.default_rng(0))
    held = [contexts.product[a:b].tolist() for a, b in pairwise(contexts.indptr)]
    assert held == [[7], [7, 8], [1]]
    assert following.tolist() == [8, 9, 2]
    assert contexts.row.tolist() == [0, 1, 1, 2]
    assert contexts.part(1, 3).product.tolist() == [7, 8, 1]
    assert contexts.part(1, 3).indptr.tolist() == [0, 2, 3]
    assert len(sessions.contexts(2, np.random.default_rng(0))[1]) == 2


def test_long_contexts_keep_their_latest_looks() -> None:
    assert Contexts.of([list(range(50))]).product.tolist() == list(range(50 - LENGTH, 50))
    long = Sessions(np.array([0, 50]), np.arange(50, dtype=np.int32), np.zeros(1))
    contexts, _ = long.contexts(100, np.random.default_rng(0))
    assert contexts.part(48, 49).product.tolist() == list(range(49 - LENGTH, 49))


def test_statistics_by_hand() -> None:
    # Sessions 0→1→2 and 0→1→1, a day apart.
    sessions = Sessions(np.array([0, 3, 6]), np.array([0, 1, 2, 0, 1, 1], np.int32), np.array([0.0, 1.0]))
    counted = SessionStatistics.fit(sessions, 4, 1.0)
    # From 0: to 1 once after one step and once after one and once after two = 2.5, to 2 once after two = .5.
    np.testing.assert_allclose(counted.forward.toarray()[0], [0, 2.5 / 5, 0.5 / 5, 0])
    np.testing.assert_allclose(counted.backward.toarray()[2], [0.5 / 3.5, 1 / 3.5, 0, 0], rtol=1e-6)
    assert counted.looks.tolist() == [2, 3, 1, 0]
    assert counted.visits.tolist() == [2, 2, 1, 0]
    # Looked at again: after 1 came 2, then 1: one of two; shrunken towards one of four by 20 looks.
    np.testing.assert_allclose(counted.again[:2], [5 / 22, 6 / 22], rtol=1e-6)
    np.testing.assert_allclose(counted.standing, [2 ** (-1 / 40) / 3**0.5, 1 / 2**0.5], rtol=1e-6)
    for name, array in counted.arrays().items():
        np.testing.assert_array_equal(array, SessionStatistics.of(counted.arrays()).arrays()[name])


def test_features_by_hand() -> None:
    sessions = Sessions(np.array([0, 3, 6]), np.array([0, 1, 2, 0, 1, 1], np.int32), np.array([0.0, 1.0]))
    counted = SessionStatistics.fit(sessions, 4, 1.0)
    found = pairs(counted, Contexts.of([[1, 0, 1, 1], [2]]))
    values = {(int(r), int(p)): dict(zip(FEATURES, v, strict=True)) for r, p, v in
              zip(found.row, found.product, found.values.tolist(), strict=True)}  # fmt: skip
    one = values[0, 1]
    assert (one["since"], one["times"], one["first"], one["length"], one["distinct"]) == (0, 3, 3, 4, 2)
    assert one["same_as_before"] == 1
    assert (values[0, 2]["since"], values[0, 2]["times"]) == (-1, 0)
    assert values[0, 2]["forward_last"] == pytest.approx(counted.forward.toarray()[1, 2])
    # All looks, decayed: 1 now and one look ago and three ago, 0 two looks ago.
    weights = counted.forward.toarray()[:, 2]
    assert values[0, 2]["forward_all"] == pytest.approx((1 + 0.7 + 0.7**3) * weights[1] + 0.7**2 * weights[0], rel=1e-5)
    assert values[1, 2]["length"] == 1
    assert values[1, 2]["same_as_before"] == 0


def test_hits_by_hand() -> None:
    found = Pairs(np.array([0, 0, 1, 1]), np.array([5, 6, 5, 7], np.int32), np.zeros((4, 1), np.float32))
    score = np.array([0.1, 0.9, 0.8, 0.7], np.float32)
    assert hits(found, score, np.array([5, 7, 1], np.int32)) == (2 / 3, (1 / 2 + 1 / 2) / 3)
    assert hits(found, score, np.array([5, 7, 1], np.int32), k=1) == (0.0, 0.0)


def chains(count: int = 3000, products: int = 60, seed: int = 1) -> WebTable:
    """Visitors walk a ring one way and now and then look back: the next product can be known."""
    random = np.random.default_rng(seed)
    rows = []
    for session in range(count):
        at = int(random.integers(products))
        seen = [at]
        for minute in range(int(random.integers(2, 7))):
            rows.append((session, at, session * 60.0 + minute, "view"))
            at = int(random.choice(seen)) if random.random() < 0.3 else (at + 1) % products
            seen.append(at)
    return web(*rows)


@pytest.fixture(scope="module")
def ring() -> SessionRanker:
    trained = fit(chains(), 60, seed=0)
    assert trained is not None
    assert trained.settings["ranker"] != "plain", "the ranker beats the plain order on later sessions"
    return SessionRanker(trained)


def test_the_next_step_and_the_reminder_come_first(ring: SessionRanker) -> None:
    indptr, product, score = ring.rank(Contexts.of([[10], [58, 59], []]), 5)
    assert np.diff(indptr).tolist() == [5, 5, 5]
    assert set(product[:2].tolist()) == {10, 11}
    assert product[5] in (0, 58, 59)
    assert {0, 58, 59} == set(product[5:8].tolist())
    for a, b in pairwise(indptr):
        assert (np.diff(score[a:b]) <= 0).all()
        assert len(set(product[a:b].tolist())) == 5


def test_companions_are_looked_at_together_with_the_latest_product(ring: SessionRanker) -> None:
    product, share = ring.companions([3, 10], 6)
    assert product[0] == 11
    assert {3, 10}.isdisjoint(product.tolist())
    assert set(product.tolist()) <= set(range(4, 17)), "nobody walks further in one session"
    assert 0.2 < share[0] < 1
    assert (np.diff(share) <= 0).all()


def test_no_contexts_no_rows(ring: SessionRanker) -> None:
    indptr, product, _ = ring.rank(Contexts.of([]), 5)
    assert indptr.tolist() == [0]
    assert len(product) == 0


def test_the_same_seed_learns_the_same() -> None:
    first, second = (fit(chains(2500), 60, seed=3) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.settings == second.settings
    assert first.settings["ranker"] != "plain"
    for name, array in first.arrays.items():
        np.testing.assert_array_equal(array, second.arrays[name])


def test_few_sessions_are_ordered_plainly_and_none_make_no_model() -> None:
    few = fit(chains(20), 60)
    assert few is not None
    assert few.settings["ranker"] == "plain"
    assert SessionRanker(few).rank(Contexts.of([[10]]), 2)[1][0] == 10
    assert fit(web((0, 1, 0, "view")), 5) is None
    assert fit(web(), 5) is None


def test_contexts_in_a_table_by_a_model_from_the_disk(tmp_path: Path) -> None:
    trained = fit(chains(), 60)
    ids = [f"P{i:02}" for i in range(60)]
    made = model(
        product_ids=ids, sessions=trained, ahead=lists([[], [], []], ids), cold=lists([[], [], []], ids),
        copurchase=neighbours({}, ids), coview=neighbours({}, ids),
    )  # fmt: skip
    now = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(hours=1)
    loaded = read_model(tmp_path / write_model(tmp_path, made, now=now))
    contexts = pl.DataFrame({"context_id": ["x", "y"], "products": [["P10"], ["unknown", "P58", "P59"]]})
    table = context_recommendations(loaded, contexts, k=4)
    assert table.columns == ["context_id", "rank", "product_id", "score", "source"]
    assert table["context_id"].to_list() == ["x"] * 4 + ["y"] * 4
    assert table["rank"].to_list() == [1, 2, 3, 4] * 2
    assert set(table["product_id"].to_list()[:2]) == {"P10", "P11"}
    assert table.equals(context_recommendations(made, contexts, k=4))


def test_without_a_session_model_companions_and_popularity_answer() -> None:
    ids = [f"P{i}" for i in range(10)]
    made = model(cold=lists([[new(f"P{i}", 0.1) for i in range(10)], [], []], ids))
    contexts = pl.DataFrame(
        {"context_id": ["x", "y"], "products": [["P0"], []]}, schema_overrides={"products": pl.List(pl.String)}
    )
    table = context_recommendations(made, contexts, k=3)
    assert table.filter(pl.col("context_id") == "x")["product_id"].to_list() == ["P4", "P9", "P1"]
    assert table.filter(pl.col("context_id") == "y")["product_id"].to_list() == ["P0", "P1", "P2"]
    assert context_recommendations(made, contexts.head(0), k=3).height == 0
