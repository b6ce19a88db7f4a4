"""What names are searched by: one key for half and full width, hiragana and katakana, with and without spaces."""

from __future__ import annotations

import unicodedata

HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
SEPARATOR = "|"  # between name and kana


def search_form(text: str) -> str:
    """A text as it is compared: NFKC, lower case, katakana, no spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold().translate(HIRAGANA)
    return "".join(folded.split())


def search_key(*names: str | None) -> str | None:
    """The key of a person's names; None where none is known."""
    forms = [search_form(name) for name in names if name]
    return SEPARATOR.join(forms) or None
