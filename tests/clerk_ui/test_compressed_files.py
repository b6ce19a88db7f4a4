"""Static files leave compressed where the browser can read that; nobody's data ever does."""

from __future__ import annotations

import gzip

import pytest

from tests.clerk_ui.conftest import Shop


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the kind of database."""
    return sqlite_url


@pytest.mark.parametrize("path", ["/static/counter/main.js", "/static/css/counter.css", "/sw.js", "/beacon.js"])
def test_text_is_sent_compressed_and_says_the_same(shop: Shop, path: str) -> None:
    client = shop.app.test_client()
    plain = client.get(path)
    assert "Content-Encoding" not in plain.headers
    for _ in range(2):  # the second time from memory
        small = client.get(path, headers={"Accept-Encoding": "br, gzip"})
        assert small.headers["Content-Encoding"] == "gzip"
        assert small.content_length == len(small.data) < len(plain.data) / 2
        assert gzip.decompress(small.data) == plain.data
        assert small.mimetype == plain.mimetype
    assert "Accept-Encoding" in small.headers["Vary"]
    assert small.headers["Vary"] == plain.headers["Vary"]
    assert small.headers["X-Content-Type-Options"] == "nosniff"


def test_what_a_browser_has_already_is_not_sent_again(shop: Shop) -> None:
    client = shop.app.test_client()
    first = client.get("/static/counter/main.js", headers={"Accept-Encoding": "gzip"})
    for coding in ("gzip", "identity"):
        known = {"If-None-Match": first.headers["ETag"], "Accept-Encoding": coding}
        again = client.get("/static/counter/main.js", headers=known)
        assert (again.status_code, again.data) == (304, b"")


def test_pictures_and_somebodys_data_are_left_as_they_are(shop: Shop) -> None:
    client = shop.app.test_client()
    picture = client.get("/static/images/app-192.png", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in picture.headers
    asked = shop.machine(**{"Accept-Encoding": "gzip"})
    answer = shop.app.test_client().get("/api/customers/0001?store_id=S1", headers=asked)
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_a_part_of_a_file_is_sent_as_it_is(shop: Shop) -> None:
    asked = {"Accept-Encoding": "gzip", "Range": "bytes=0-9"}
    part = shop.app.test_client().get("/static/counter/main.js", headers=asked)
    assert (part.status_code, len(part.data)) == (206, 10)
