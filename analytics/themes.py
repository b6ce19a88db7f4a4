"""What comments are about: themes by a seed list of phrases, and words that come up newly."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from analytics.rates import benjamini_hochberg, difference_of_rates
from analytics.words import PhraseBook, Token, lexicon_rows

ENOUGH = 1.0
"""Sum of phrase weights from which a comment is about a theme."""

_LEAST_COMMENTS = 5


@dataclass(frozen=True)
class ThemeBook:
    """Phrase books by theme."""

    books: dict[str, PhraseBook]

    @classmethod
    def seeded(cls, by: Any) -> ThemeBook:
        """The seed list that comes with the product."""
        phrases: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for row in lexicon_rows("themes.csv"):
            phrases[row["theme"]].append((row["phrase"], float(row["weight"])))
        return cls({theme: PhraseBook(listed, by) for theme, listed in phrases.items()})

    def of(self, tokens: Sequence[Token]) -> list[tuple[str, float]]:
        """The themes of a comment with their weight, the strongest first; each phrase counts once."""
        weights = []
        for theme, book in self.books.items():
            found = {m.phrase: m.value for m in book.matches(tokens)}
            weight = sum(found.values())
            if weight >= ENOUGH:
                weights.append((theme, weight))
        return sorted(weights, key=lambda pair: (-pair[1], pair[0]))


def emerging_words(
    later: Sequence[Iterable[str]], earlier: Sequence[Iterable[str]], *, most_q: float = 0.05
) -> list[dict[str, Any]]:
    """Words in a larger share of later comments than of earlier: word, n, before, after (shares), low, high, q_value.

    Fisher's exact test per word in at least five comments, false discovery rate by Benjamini–Hochberg over all of them.
    """
    new, old = (Counter(word for words in side for word in set(words)) for side in (later, earlier))
    n, m = len(later), len(earlier)
    if not n or not m:
        return []
    words = sorted(w for w in new.keys() | old.keys() if new[w] + old[w] >= _LEAST_COMMENTS)
    p_values = stats.hypergeom.sf(
        np.array([new[w] - 1 for w in words]), n + m, np.array([new[w] + old[w] for w in words]), n
    )
    q_values = benjamini_hochberg(p_values) if words else np.empty(0)
    rows = []
    for word, q in zip(words, q_values, strict=True):
        if q <= most_q:
            gap = difference_of_rates(new[word], n, old[word], m)
            rows.append(
                {"word": word, "n": new[word] + old[word], "before": old[word] / m, "after": new[word] / n}
                | {"low": gap.low, "high": gap.high, "q_value": float(q)}
            )
    return sorted(rows, key=lambda row: (row["q_value"], row["word"]))
