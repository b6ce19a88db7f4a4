"""Whether a comment is content or not: a phrase list with negation, wishes and contrast; measured in tests.

A rule-based reading, because its every judgement can be shown word by word to the people it is about, and because there
are no labelled comments of the chain to learn from at first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.words import Match, PhraseBook, Token, lexicon_rows

_CLEAR = 0.1
_OUTRAGE = -2.0  # "never again", "unforgivable": their negation belongs to them
_REACH = 6
_CONTRAST = {"が", "けど", "けれど", "けれども", "ものの"}
_CONTRAST_OPENERS = {"然し", "但し", "唯", "でも", "だが", "けれど", "けど"}
_OTHERS = {"他店", "他社", "余所", "競合", "ライバル", "別店"}
_WISH, _ONLY, _LACK = -0.7, -0.8, -0.5


@dataclass(frozen=True)
class Sentiment:
    """score from −1 to 1, label positive, negative or neutral, and the words that spoke with their weight."""

    score: float
    label: str
    evidence: tuple[tuple[str, float], ...]


def sentiment_book(by: Any) -> PhraseBook:
    """The phrase list that comes with the product: polarity from −2 to 2."""
    return PhraseBook(((row["phrase"], float(row["polarity"])) for row in lexicon_rows("sentiment.csv")), by)


def sentiment_of(tokens: Sequence[Token], book: PhraseBook) -> Sentiment:
    """The sentiment of a comment.

    A negated phrase turns (not good is bad, not bad is mildly good); "しか … ない", a wish (てほしい), a lack (がない)
    speak against us; what stands before a "but" counts less than what follows. The score is the balance of all, the
    label neutral within ±0.1.
    """
    found: list[tuple[int, str, float]] = []
    spent: set[int] = set()
    for match in book.matches(tokens):
        value, negator = _turned(match, tokens)
        if negator is not None:
            spent.add(negator)
        found.append((match.last, "".join(t.surface for t in tokens[match.first : match.last + 1]), value))
    found = _compared(tokens, found) + _lacks_and_wishes(tokens, spent)
    contrast = _last_contrast(tokens)
    weighted = [(word, value * (0.3 if place < contrast else 1.0)) for place, word, value in found]
    total, size = sum(v for _, v in weighted), sum(abs(v) for _, v in weighted)
    score = total / size if size > 0 else 0.0
    label = "positive" if score > _CLEAR else "negative" if score < -_CLEAR else "neutral"
    return Sentiment(score, label, tuple(weighted))


def _negates(token: Token) -> bool:
    return (token.part == "助動詞" and token.form in ("ない", "ず")) or (
        token.part in ("形容詞", "接尾辞") and token.form == "無い"
    )


def _turned(match: Match, tokens: Sequence[Token]) -> tuple[float, int | None]:
    """The phrase's value in its place, and where the negation stands that turned it."""
    for place in range(match.last + 1, min(len(tokens), match.last + 1 + _REACH)):
        token = tokens[place]
        if _negates(token):
            if match.value <= _OUTRAGE:
                return match.value, place
            return (-0.8 * match.value if match.value > 0 else -0.5 * match.value), place
        if token.ends_clause or (
            token.part == "助詞" and token.kind == "接続助詞" and token.surface not in ("て", "で")
        ):
            break
        linking = token.particle or token.part in ("助動詞", "接尾辞") or token.kind == "非自立可能"
        if not linking:
            break
    return match.value, None


def _compared(tokens: Sequence[Token], found: list[tuple[int, str, float]]) -> list[tuple[int, str, float]]:
    """Praise of others ("the shop nearby is cheaper") speaks against us: turned where a clause sets them above."""
    spans: list[tuple[int, int]] = []
    others = start = -1
    for place, token in enumerate(tokens):
        if token.ends_clause:
            others = start = -1
        elif token.form in _OTHERS or (token.form in ("店", "スーパー") and _nearby(tokens, place)):
            others = place
        elif token.form == "方" and 0 <= others >= place - 3 and tokens[place - 1].surface == "の":
            start = place
        if start >= 0:
            spans.append((start, place))
    inside = {p for a, b in spans for p in range(a, b + 1)}
    return [(p, word, -value if p in inside and value > 0 else value) for p, word, value in found]


def _nearby(tokens: Sequence[Token], place: int) -> bool:
    return any(t.form in ("近く", "近所", "別", "余所", "他") for t in tokens[max(0, place - 2) : place])


def _lacks_and_wishes(tokens: Sequence[Token], spent: set[int]) -> list[tuple[int, str, float]]:
    found = []
    clause: list[Token] = []
    for place, token in enumerate(tokens):
        if token.ends_clause:
            clause = []
            continue
        before = clause[-1] if clause else None
        forms = {t.form for t in clause}
        if token.form == "欲しい" and before is not None and before.surface in ("て", "で"):
            found.append((place, token.surface, _WISH))
        elif _negates(token) and place not in spent and "特に" not in forms:
            exists = any(t.form in ("有る", "居る") for t in clause[-2:])
            if "しか" in forms:
                found.append((place, "しか…" + token.surface, _ONLY))
            elif exists or (token.form == "無い" and token.part == "形容詞"):
                found.append((place, token.surface, _LACK))
        clause.append(token)
    return found


def _last_contrast(tokens: Sequence[Token]) -> int:
    """The place of the last "but" with something behind it, −1 where there is none."""
    place = -1
    for i, token in enumerate(tokens):
        conjunction = token.part == "助詞" and token.kind == "接続助詞" and token.surface in _CONTRAST
        although = (
            token.surface == "に" and i > 0 and tokens[i - 1].surface == "の" and tokens[i - 1].kind == "準体助詞"
        )
        opener = token.part in ("接続詞", "副詞") and token.form in _CONTRAST_OPENERS
        if (conjunction or although or opener) and any(not t.ends_clause for t in tokens[i + 1 :]):
            place = i
    return place
