"""The words of an offer: what it is, what a clerk needs to know of it, and what to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from journey.offers import COLLECT, COUPON, EVENT, JOIN_APP


@dataclass(frozen=True)
class OfferText:
    """``title`` says what it is, ``text`` what goes with it (may be empty), ``talk`` is a line to say."""

    title: str
    text: str
    talk: str


WORDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "ja": {
        COLLECT: ("お受け取りのご注文があります", "ご注文の品をご用意しております。お持ちいたしましょうか"),
        COUPON: ("「{name}」が使えます", "本日「{name}」クーポンをお使いいただけます"),
        EVENT: ("「{name}」を開催しています", "ただいま「{name}」を開催しております。よろしければご覧ください"),
        f"{EVENT}/soon": (
            "「{name}」がもうすぐ始まります",
            "{begins}から「{name}」を開催いたします。ぜひお越しください",
        ),
        JOIN_APP: ("アプリのご登録がまだです", "アプリのご登録はお済みでしょうか。よろしければご案内いたします"),
    },
    "en": {
        COLLECT: ("An order is waiting to be collected", "Your order is ready here. Shall I bring it to you?"),
        COUPON: ("“{name}” can be used today", "You can use your ‘{name}’ coupon today."),
        EVENT: ("“{name}” is on now", "‘{name}’ is on in the store now. Would you like to have a look?"),
        f"{EVENT}/soon": ("“{name}” begins soon", "‘{name}’ begins on {begins}. We would be glad to see you there."),
        JOIN_APP: ("Not using the app yet", "Do you have our app yet? I can show you how to join."),
    },
}
MOMENT: Final = timedelta(microseconds=1)
TODAY: Final = {"ja": "本日まで", "en": "Ends today"}
UNTIL: Final = {"ja": "{day}まで", "en": "Until {day}"}
ORDER: Final = {"ja": "注文番号 {name}", "en": "Order {name}"}
PICKUP: Final = {"ja": "({day} {time}のお受け取り予定)", "en": " (to be collected {day}, {time})"}
DAYS: Final = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def text_of(
    kind: str, language: str, *, today: datetime, until: datetime | None, name: str = "",
    pickup: datetime | None = None, begins: datetime | None = None,
) -> OfferText:  # fmt: skip
    """The words in a language (an unknown one: Japanese); all times in the store's own zone, which `today` carries."""
    language = language if language in WORDS else "ja"
    title, talk = WORDS[language][f"{kind}/soon" if begins else kind]
    facts = {"name": name, "begins": day_of(begins, language) if begins else ""}
    text = ""
    if kind == COLLECT:
        text = ORDER[language].format(name=name)
        if pickup is not None:
            at = pickup.astimezone(today.tzinfo)
            text += PICKUP[language].format(day=day_of(at, language), time=f"{at:%H:%M}")
    elif until is not None:
        last = until - MOMENT  # what ends at midnight is usable through the day before
        closing = last.date() == today.date()
        text = TODAY[language] if closing else UNTIL[language].format(day=day_of(last, language))
    return OfferText(title.format_map(facts), text, talk.format_map(facts))


def day_of(at: datetime, language: str) -> str:
    """A day as it is said at a counter: 11月28日(土), Sat 28 Nov."""
    weekday = DAYS[language][at.weekday()]
    if language == "ja":
        return f"{at.month}月{at.day}日({weekday})"
    return f"{weekday} {at.day} {MONTHS[at.month - 1]}"
