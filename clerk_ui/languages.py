"""Japanese and English: the catalogue, the choice of language, and how figures and dates are written.

A text is named by a key (``sign_in.title``) and kept in ``translations/LANGUAGE/AREA.json``; the file's name is the
first part of its keys. Both languages have the same keys with the same placeholders, which a test checks. Nothing is
compiled. docs/decisions tells why this is not gettext.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

import orjson
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal, format_percent
from flask import Flask, Response, g, has_request_context, request

from clerk_ui.application_settings import settings
from clerk_ui.security import secure_cookies
from journey.local_days import zone

LANGUAGES = ("ja", "en")
COOKIE = "osusume_language"
ARGUMENT = "lang"
FOLDER = Path(__file__).parent / "translations"
LOCALES = {"ja": "ja_JP", "en": "en_GB"}


def init_app(app: Flask) -> None:
    """Give templates ``t`` and the filters, and keep a choice made by ``?lang=``."""
    app.after_request(_keep_choice)
    app.jinja_env.globals.update(t=t, current_language=current_language, other_language=other_language)
    app.jinja_env.filters.update(
        money=money, number=number, percent=percent, day=day, moment=moment, clock_time=clock_time
    )


@lru_cache(maxsize=4)
def catalogue(language: str) -> dict[str, str]:
    """All texts of a language by key."""
    texts: dict[str, str] = {}
    for file in sorted((FOLDER / language).glob("*.json")):
        texts.update({f"{file.stem}.{key}": text for key, text in orjson.loads(file.read_bytes()).items()})
    return texts


def current_language() -> str:
    """The language of this request: its ``?lang=``, the cookie, the person's choice, the browser's, else Japanese."""
    if not has_request_context():
        return LANGUAGES[0]
    if "language" not in g:
        caller, headers = g.get("caller"), request.headers
        wishes = (  # what a request does not have is not parsed
            request.args.get(ARGUMENT) if request.query_string else None,
            request.cookies.get(COOKIE) if "Cookie" in headers else None,
            caller.person.language if caller is not None and caller.person is not None else None,
            request.accept_languages.best_match(LANGUAGES) if "Accept-Language" in headers else None,
        )
        g.language = next((wish for wish in wishes if wish in LANGUAGES), LANGUAGES[0])
    return str(g.language)


def other_language() -> str:
    """The language that the switch offers."""
    return "en" if current_language() == "ja" else "ja"


def t(key: str, **values: Any) -> str:
    """The text of a key in this request's language, with its ``{placeholders}`` filled.

    ``{n:card|cards}`` is the word for one or for several, for languages that tell them apart.

    Raises:
        KeyError: no such key; a screen never shows a raw key.
    """
    phrase = catalogue(current_language())[key]
    return FORMATTER.vformat(phrase, (), values) if values else phrase


class _Counting(Formatter):
    """Formats as `str.format`, and ``{n:card|cards}`` as the word that goes with the number: one card, two cards."""

    def format_field(self, value: Any, format_spec: str) -> str:
        one, divided, many = format_spec.partition("|")
        if not divided:
            return str(super().format_field(value, format_spec))
        return one if str(value) == "1" else many


FORMATTER = _Counting()


def money(amount: Decimal | float | None) -> str:
    """An amount in the chain's currency; yen as 円 in Japanese, as on shelves."""
    if amount is None:
        return "–"
    currency = settings().chain.currency
    if currency == "JPY":  # a British English formatter would write JP¥, which no shop in Japan does
        return f"{number(amount)}円" if current_language() == "ja" else f"¥{number(amount)}"
    return str(format_currency(amount, currency, locale=_locale()))


def number(value: float | Decimal | None, digits: int = 0) -> str:
    """A number with separators and at most so many decimals."""
    if value is None:
        return "–"
    rounded = round(value, digits) if isinstance(value, Decimal) else round(float(value), digits)
    return str(format_decimal(rounded or 0, locale=_locale()))  # a nought has no sign


def percent(share: float | None, digits: int = 0) -> str:
    """A share between 0 and 1 as per cent."""
    if share is None:
        return "–"
    pattern = "#,##0" + ("." + "0" * digits if digits else "") + "%"
    unsigned = share if round(share, digits + 2) else 0.0  # a nought has no sign
    return str(format_percent(unsigned, format=pattern, locale=_locale()))


def day(value: date | datetime | None, tz: str | None = None) -> str:
    """A date with its weekday; of a moment, the date in the store's zone."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = value.astimezone(_zone(tz)).date()
    pattern = "y年M月d日(E)" if current_language() == "ja" else "EEE d MMM y"
    return str(format_date(value, pattern, locale=_locale()))


def moment(value: datetime | None, tz: str | None = None) -> str:
    """A moment in the store's zone."""
    if value is None:
        return "–"
    pattern = "y年M月d日(E) H:mm" if current_language() == "ja" else "EEE d MMM y, HH:mm"
    return str(format_datetime(value, pattern, tzinfo=_zone(tz), locale=_locale()))


def clock_time(value: datetime | None, tz: str | None = None) -> str:
    """The time of day in the store's zone."""
    return "–" if value is None else str(format_time(value, "H:mm", tzinfo=_zone(tz), locale=_locale()))


def _zone(tz: str | None) -> Any:
    return zone(tz, settings().chain.timezone)


def _locale() -> str:
    return LOCALES[current_language()]


def _keep_choice(response: Response) -> Response:
    chosen = request.args.get(ARGUMENT) if request.query_string else None
    if chosen in LANGUAGES and request.cookies.get(COOKIE) != chosen:
        response.set_cookie(
            COOKIE, chosen, max_age=400 * 86_400, httponly=True, samesite="Strict", secure=secure_cookies()
        )
    if (response.content_type or "").startswith("text/html"):
        response.headers.setdefault("Content-Language", current_language())
        response.vary.add("Accept-Language")
    return response
