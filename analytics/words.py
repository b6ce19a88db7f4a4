"""Japanese text as words: SudachiPy's tokens, and phrases found in them whatever their inflection or spelling."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import sudachipy

STOPS = ("句点", "読点")
"""Kinds of mark that end a clause."""

_SHORTEST_KANA = 3
_CONTENT = ("名詞", "動詞", "形容詞", "形状詞", "副詞")


@dataclass(frozen=True)
class Token:
    """A word as written (surface), spelt one way (form), its part of speech and the finer kind of that."""

    surface: str
    form: str
    part: str
    kind: str

    @property
    def ends_clause(self) -> bool:
        """Whether it is a full stop, a comma or the like."""
        return self.part == "補助記号" and self.kind in STOPS

    @property
    def particle(self) -> bool:
        """Whether it only links other words."""
        return self.part in ("助詞", "空白")


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    return sudachipy.Dictionary(dict="core")


def tokenizer() -> Any:
    """A SudachiPy tokenizer of medium units; not for use by two threads at once."""
    return _dictionary().tokenizer(mode=sudachipy.SplitMode.B)


def tokens_of(text: str, by: Any) -> list[Token]:
    """The tokens of a text; line breaks end clauses."""
    tokens = []
    for line in text.splitlines():
        for m in by.tokenize(line):
            part, kind, *_ = m.part_of_speech()
            tokens.append(Token(m.surface(), m.normalized_form().lower(), part, kind))
        tokens.append(Token("\n", "\n", "補助記号", "句点"))
    return tokens


@lru_cache(maxsize=1)
def _empty_words() -> frozenset[str]:
    return frozenset(row["word"] for row in lexicon_rows("empty_words.csv"))


def content_words(tokens: Iterable[Token]) -> list[str]:
    """The words that carry meaning, spelt one way; verbs and nouns that every comment has are left out."""
    empty = _empty_words()
    return [
        t.form
        for t in tokens
        if t.part in _CONTENT
        and t.kind not in ("数詞", "非自立可能", "助数詞可能")
        and t.form not in empty
        and len(t.form) > 1
    ]


def _key(phrase: str, by: Any) -> tuple[str, ...]:
    return tuple(t.form for t in tokens_of(phrase, by) if not t.particle and not t.ends_clause)


def _in_kana(phrase: str, by: Any) -> str:
    reading = "".join(m.reading_form() for m in by.tokenize(phrase))
    return "".join(chr(ord(c) - 0x60) if "ァ" <= c <= "ヶ" else c for c in reading)


@dataclass(frozen=True)
class Match:
    """A phrase found: its value in the phrase book, and the places of its first and last token."""

    phrase: tuple[str, ...]
    value: float
    first: int
    last: int


class PhraseBook:
    """Phrases with a value, found in tokens by their spelling-independent forms, particles aside, longest first."""

    def __init__(self, phrases: Iterable[tuple[str, float]], by: Any) -> None:
        self._values: dict[tuple[str, ...], float] = {}
        short = _dictionary().tokenizer(mode=sudachipy.SplitMode.A)
        for phrase, value in phrases:
            # In a sentence the same phrase may come out in shorter units, or in kana that is not taken for the kanji.
            keys = [_key(phrase, by), _key(phrase, short)]
            kana = _in_kana(phrase, by)
            spelt = _key(kana, by)
            # Kana that is taken for some kanji is another word (やすい: 安い, 易い) or already the same.
            if (
                len(kana) >= _SHORTEST_KANA
                and len(spelt) == len(keys[0])
                and not any("一" <= c <= "鿿" for f in spelt for c in f)
            ):
                keys.append(spelt)
            for key in keys:
                if key:
                    self._values.setdefault(key, value)
        self._heads = {key[0] for key in self._values}
        self._longest = max((len(key) for key in self._values), default=0)

    def __len__(self) -> int:
        return len(self._values)

    def matches(self, tokens: Sequence[Token]) -> Iterator[Match]:
        """Phrases in the order they occur, none overlapping another; a phrase never reaches beyond its clause."""
        places = [i for i, t in enumerate(tokens) if not t.particle]
        at = 0
        while at < len(places):
            # Few words begin a phrase; the others need no window.
            if tokens[places[at]].form in self._heads:
                window = []
                for place in places[at : at + self._longest]:
                    if tokens[place].ends_clause:
                        break
                    window.append(place)
                for length in range(len(window), 0, -1):
                    key = tuple(tokens[p].form for p in window[:length])
                    if key in self._values:
                        yield Match(key, self._values[key], window[0], window[length - 1])
                        at += length - 1
                        break
            at += 1


def lexicon_rows(name: str) -> list[dict[str, str]]:
    """Rows of a phrase list that comes with the product."""
    text = files("analytics.lexicon").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
