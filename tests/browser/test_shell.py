"""What can be said of the tablet's files without opening them in a browser."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "clerk_ui" / "static"
SCRIPTS = STATIC.parents[1] / "scripts"
MODULES = sorted((STATIC / "counter").rglob("*.js"))
PHRASE = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
# Text on ground: 4.5:1; the figures read at arm's length: 7:1; borders of controls: 3:1.
HUES = ("ai", "kaki", "matsuba", "yamabuki", "shu", "asagi")
GROUNDS = ("ground", "surface", "surface-raised", "surface-sunken")
PAIRS = [
    *[(text, ground, 4.5) for text in ("ink", "ink-soft", "ink-faint", *HUES) for ground in GROUNDS],
    *[("ink-figure", ground, 7.0) for ground in GROUNDS],
    *[(f"{hue}-soft-ink", f"{hue}-soft", 4.5) for hue in HUES],
    *[(f"{hue}-ink", hue, 4.5) for hue in ("ai", "kaki", "matsuba", "shu")],
    *[("line-strong", ground, 3.0) for ground in ("ground", "surface", "surface-raised")],
    ("ai-ink", "ai-strong", 4.5), ("kaki", "kaki-soft", 4.5), ("shu", "shu-soft", 3.0), ("focus", "ground", 7.0),
    ("rail-ink", "rail", 7.0), ("rail-ink-soft", "rail", 4.5), ("rail-ink", "rail-here", 4.5),
]  # fmt: skip


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_of_every_pair(scheme: str) -> None:
    text = (STATIC / "css/tokens.css").read_text()
    tokens = {
        name: (light, dark)[scheme == "dark"]
        for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", text)
    }
    for front, back, least in PAIRS:
        brighter, darker = sorted((luminance(tokens[front]), luminance(tokens[back])), reverse=True)
        assert (brighter + 0.05) / (darker + 0.05) >= least, (front, back, scheme)


def test_both_languages_have_the_same_phrases_with_the_same_names() -> None:
    japanese, english = (
        dict(PHRASE.findall((STATIC / f"counter/words/{language}.js").read_text())) for language in ("ja", "en")
    )
    assert list(japanese) == list(english)
    assert len(japanese) > 250
    for key in japanese:
        names = [set(re.findall(r"\{(\w+)\}", phrase)) for phrase in (japanese[key], english[key])]
        assert names[0] == names[1], key
    assert not [key for key, phrase in english.items() if re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", phrase)]


def test_every_phrase_that_is_asked_for_exists() -> None:
    phrases = set(dict(PHRASE.findall((STATIC / "counter/words/ja.js").read_text())))
    for module in MODULES:
        asked = set(re.findall(r'\bt\(\s*"([^"]+)"', module.read_text()))
        assert asked <= phrases, (module.name, asked - phrases)


def test_every_icon_that_is_asked_for_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="i-([\w-]+)"', (STATIC / "images/icons.svg").read_text()))
    for module in MODULES:
        text = module.read_text()
        asked = set(re.findall(r'\bicon\("([\w-]+)"', text)) | set(re.findall(r'\bicon: "([\w-]+)"', text))
        assert asked <= drawn, (module.name, asked - drawn)


def test_the_list_of_the_shell_is_up_to_date() -> None:
    done = subprocess.run([sys.executable, SCRIPTS / "shell", "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_modules_of_the_gate_are_announced_in_the_page() -> None:
    page = (STATIC.parent / "templates/counter/index.html").read_text()
    listed = set(re.findall(r'"([a-z_/]+)"', page.split("for module in")[1].split("%}")[0]))
    home, needed, todo = STATIC / "counter", set(), [STATIC / "counter/main.js"]
    while todo:
        module = todo.pop()
        if module not in needed:
            needed.add(module)
            imports = re.findall(r'^(?:import|export) [^"]*"(\.[^"]+)"', module.read_text(), re.MULTILINE)
            todo += [(module.parent / one).resolve() for one in imports]
    assert listed == {one.relative_to(home).with_suffix("").as_posix() for one in needed} - {"main"}


def test_nothing_runs_or_is_styled_inline() -> None:
    page = (STATIC.parent / "templates/counter/index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page)
    assert not [
        module.name
        for module in MODULES
        if re.search(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(", module.read_text())
    ]
    assert not [module.name for module in MODULES if re.search(r"https?://(?!www\.w3\.org)", module.read_text())]
