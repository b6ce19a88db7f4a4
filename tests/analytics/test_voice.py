from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sqlalchemy.orm import Session

from analytics.sentiment import Sentiment, sentiment_book, sentiment_of
from analytics.themes import ThemeBook, emerging_words
from analytics.voice import measured_accuracy, read_comments, report
from analytics.words import PhraseBook, content_words, lexicon_rows, tokenizer, tokens_of
from tests.analytics.cx_record import answer, day, masters

LABELLED = [(row["text"], row["theme"] or None, row["sentiment"]) for row in lexicon_rows("labelled.csv")]


def mood(text: str) -> Sentiment:
    by = tokenizer()
    return sentiment_of(tokens_of(text, by), sentiment_book(by))


def test_accuracy_on_labelled_comments() -> None:
    read = read_comments([text for text, _, _ in LABELLED])
    right = [label == truth for label, (_, _, truth) in zip(read["label"], LABELLED, strict=True)]
    assert np.mean(right) >= 0.85, [row[0] for row, ok in zip(LABELLED, right, strict=True) if not ok]
    assert measured_accuracy()["accuracy"] == np.mean(right)
    assert measured_accuracy()["n"] == len(LABELLED) == 40
    themed = [
        (theme in found) if theme else not len(found)
        for found, (_, theme, _) in zip(read["themes"], LABELLED, strict=True)
    ]
    assert np.mean(themed) >= 0.85, [row[0] for row, ok in zip(LABELLED, themed, strict=True) if not ok]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("満足", "positive"), ("満足していない", "negative"), ("満足できませんでした", "negative"),
        ("不便ではない", "positive"), ("レジが1台しか開いていない", "negative"), ("椅子がない", "negative"),
        ("商品をもっと置いてほしい", "negative"), ("混んでいたのに、待たずに済みました", "positive"),
        ("安いけど質が悪い", "negative"), ("近くの店のほうが安いです", "negative"), ("安いです", "positive"),
        ("問題なく使えました", "positive"), ("", "neutral"), ("12345", "neutral"),
    ],
)  # fmt: skip
def test_negation_wishes_and_contrast(text: str, label: str) -> None:
    assert mood(text).label == label, mood(text)


def test_every_judgement_shows_its_words() -> None:
    assert [word for word, _ in mood("スタッフが親切で、店内も清潔でした").evidence] == ["親切", "清潔"]


def test_phrases_are_found_in_any_spelling_and_inflection() -> None:
    by = tokenizer()
    book = PhraseBook([("声をかける", 1.0), ("無くなる", 2.0), ("品揃え", 3.0)], by)
    found = [m.value for m in book.matches(tokens_of("声かけていただき。取り扱いがなくなりました、品ぞろえ", by))]
    assert found == [1.0, 2.0, 3.0]
    assert list(book.matches(tokens_of("声を。かける", by))) == []


def test_words_are_the_ones_that_mean_something() -> None:
    by = tokenizer()
    assert content_words(tokens_of("先日アプリのクーポンが表示されませんでした。", by)) == [
        "アプリ",
        "クーポン",
        "表示",
    ]


def test_a_comment_may_have_several_themes() -> None:
    by = tokenizer()
    themes = [name for name, _ in ThemeBook.seeded(by).of(tokens_of("スタッフは親切ですが、品切れが多いです", by))]
    assert themes == ["staff", "stock"]


def test_emerging_words() -> None:
    later = [["アプリ", "遅い"]] * 20 + [["店"]] * 20
    earlier = [["アプリ"]] * 2 + [["店"]] * 38
    rows = emerging_words(later, earlier)
    assert [row["word"] for row in rows] == ["遅い", "アプリ"] or [row["word"] for row in rows] == ["アプリ", "遅い"]
    assert all(row["low"] > 0 for row in rows)
    assert emerging_words([], earlier) == []


def comment(session: Session, number: int, text: str | None, when: float, **known: object) -> None:
    session.add(answer(f"A{number}", "touchpoint", 3, day(when), touchpoint="store", comment=text, **known))


def test_report_finds_what_grew(session: Session) -> None:
    """Complaints about the app quadruple in the second half; nothing else changes."""
    masters(session, customers=40)
    number = 0
    for half, app in ((0, 10), (1, 40)):
        for text, times in (
            ("アプリのクーポンが表示されません。使いにくいです", app),
            ("スタッフが親切でした", 60),
            ("レジでかなり待ちました", 40),
        ):
            for i in range(times):
                comment(session, number, text, half * 50 + i % 50, customer_id=f"C{number % 40}")
                number += 1
    comment(session, number, "  ", 3)
    comment(session, number + 1, "うーん", 3)
    session.flush()
    found = report(session)
    themes = {row["theme"]: row for row in found["themes"]}
    assert themes["app"]["n"] == 50
    assert themes["app"]["change_low"] > 0
    assert themes["app"]["negative_change_low"] > 0
    assert themes["app"]["q_value"] < 0.01
    assert themes["staff"]["q_value"] > 0.01
    assert themes["staff"]["sentiment"] > 0.5 > -0.5 > themes["waiting"]["sentiment"]
    assert {"word": "クーポン", "n": 50} in themes["app"]["words"]
    assert themes["app"]["comments"][0]["text"].startswith("アプリ")
    assert themes["app"]["by_touchpoint"] == [
        {"touchpoint": "store", "n": 50, "sentiment": pytest.approx(-1.0), "negative": 50}
    ]
    assert "アプリ" in [row["word"] for row in found["emerging"]]
    assert found["counts"] == {"sheets": 252, "comments": 251, "empty": 1, "short": 1, "unread": 1}


def test_a_period_is_compared_with_the_one_before(session: Session) -> None:
    masters(session)
    for i in range(60):
        comment(session, i, "レジで待ちました" if i >= 40 else "安くて助かります", i)
    session.flush()
    found = report(session, start=day(29.5), end=day(59.5))
    themes = {row["theme"]: row for row in found["themes"]}
    assert found["counts"]["comments"] == 30
    assert (themes["waiting"]["n"], themes["waiting"]["change"]) == (20, pytest.approx(20 / 30))
    assert themes["price"]["n"] == 10
    assert themes["price"]["change"] == pytest.approx(10 / 30 - 1)


def test_by_field_of_loyalty(session: Session) -> None:
    masters(session, customers=2)
    for question, score in (("rational_price", 9), ("emotional_trust", 2)):
        session.add(answer("A1", question, score, day(0), customer_id="C1"))
    comment(session, 2, "スタッフが冷たい", 1, customer_id="C1")
    session.flush()
    row = report(session)["themes"][0]
    assert row["by_field"] == [{"field": "head high, heart low", "n": 1, "sentiment": -1.0, "negative": 1}]


@pytest.mark.parametrize("comments", [0, 1])
def test_report_on_next_to_nothing(session: Session, comments: int) -> None:
    for i in range(comments):
        comment(session, i, "普通", 0)
    session.flush()
    found = report(session)
    assert found["themes"] == []
    assert found["counts"]["comments"] == comments
    assert found["emerging"] == []
    assert found["notes"]


def test_a_comment_on_several_rows_counts_once(session: Session) -> None:
    masters(session)
    session.add(answer("A1", "overall", 9, day(0), comment="安いです"))
    session.add(answer("A1", "touchpoint", 9, day(0), touchpoint="web", comment="安いです"))
    session.flush()
    found = report(session)
    assert found["themes"][0]["n"] == 1
    assert isinstance(pl.DataFrame(found["themes"][0]["comments"]), pl.DataFrame)
