from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from clerk_ui import create_app
from clerk_ui.languages import FOLDER, catalogue, number, percent, t
from clerk_ui.security import kept_secret
from clerk_ui.settings import Settings, StorageSettings
from journey.errors import SchemaMissing
from tests.clerk_ui.conftest import Shop
from tests.clerk_ui.test_outcomes import path, tap

UNDOCUMENTED = {"/beacon.js", "/", "/counter/", "/sign-in", "/sign-out", "/sw.js", "/manifest.webmanifest"}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """None of this depends on the kind of database."""
    return sqlite_url


def test_the_openapi_document_is_valid_and_whole(shop: Shop) -> None:
    answer = shop.app.test_client().get("/api/openapi.json")
    document = answer.json
    validate(document)
    assert document["openapi"].startswith("3.1")
    described = {
        (re.sub(r"{(\w+)}", r"<\1>", route), method.upper())
        for route, operations in document["paths"].items()
        for method in operations
        if method != "parameters"
    }
    served = {
        (rule.rule, method)
        for rule in shop.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in {"static", "openapi.spec"} and rule.rule not in UNDOCUMENTED
        if rule.rule.startswith("/api/") or "/" not in rule.rule[1:]
    }
    assert served - described == set()
    for operations in document["paths"].values():
        for method, operation in operations.items():
            if method == "parameters":
                continue
            assert operation["operationId"]
            assert operation["summary"]
            assert "security" in operation, operation["operationId"]
            assert "default" in operation["responses"]
    ids = [op["operationId"] for ops in document["paths"].values() for m, op in ops.items() if m != "parameters"]
    assert len(ids) == len(set(ids))
    for needed in (
        "/api/customers", "/api/customers/{customer_id}/suggestions", "/api/products/{product_id}/suggestions",
        "/api/outcomes/{outcome_id}", "/api/events", "/api/pos-lines", "/api/checkins", "/api/answers", "/api/traffic",
        "/api/stock",
    ):  # fmt: skip
        assert needed in document["paths"], needed


def test_health_readiness_and_metrics(shop: Shop) -> None:
    client = shop.app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz").json
    assert ready["ready"] is True
    assert {name: part["state"] for name, part in ready["parts"].items()} == {
        "database": "ok", "model": "degraded", "online_store": "ok",
    }  # fmt: skip
    shop.signed_in().put(path(), json=tap())
    text = client.get("/metrics").text
    assert 'osusume_outcomes_total{result="bought"}' in text
    assert 'route="/api/outcomes/<outcome_id>"' in text


def test_every_answer_carries_the_protecting_headers(shop: Shop) -> None:
    client = shop.app.test_client()
    for address in ("/healthz", "/sign-in", "/nothing", "/api/customers"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Request-ID"]


def test_errors_are_problem_documents_everywhere(shop: Shop) -> None:
    client = shop.app.test_client()
    missing = client.get("/api/nothing")
    assert (missing.status_code, missing.mimetype) == (404, "application/problem+json")
    wrong = client.post("/healthz")
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert wrong.json["request_id"] == wrong.headers["X-Request-ID"]
    assert client.get("/nothing%00").status_code == 404


def test_people_get_a_page_and_programs_a_document(shop: Shop) -> None:
    client, browser = shop.app.test_client(), {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/nothing", headers=browser)
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "ページが見つかりません" in page.text
    assert page.headers["X-Request-ID"] in page.text
    assert client.get("/api/nothing", headers=browser).mimetype == "application/problem+json"
    assert client.get("/nothing", headers={"Accept": "*/*"}).mimetype == "application/problem+json"


def test_a_defect_is_logged_and_not_told(shop: Shop) -> None:
    shop.app.config["PROPAGATE_EXCEPTIONS"] = False
    shop.app.view_functions["health.healthz"] = lambda: 1 / 0
    answer = shop.app.test_client().get("/healthz")
    assert (answer.status_code, answer.json["type"]) == (500, "urn:osusume:problem:internal")
    assert "division" not in answer.text


def test_the_log_names_routes_and_never_people(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    from clerk_ui.request_log import JsonLines

    tablet = shop.signed_in()
    lines: list[str] = []
    handler = logging.Handler()
    handler.setFormatter(JsonLines())
    handler.emit = lambda record: lines.append(handler.format(record))  # type: ignore[method-assign]
    logging.getLogger("osusume").addHandler(handler)
    try:
        tablet.get("/api/customers", query_string={"q": "山田"}, headers={"X-Request-ID": "abc"})
        tablet.get("/api/customers/0001")
    finally:
        logging.getLogger("osusume").removeHandler(handler)
    first, second = (json.loads(line) for line in lines)
    assert (first["request_id"], first["status"], first["route"]) == ("abc", 200, "/api/customers")
    assert second["route"] == "/api/customers/<customer_id>"
    assert first["ms"] > 0
    assert not any(word in line for line in lines for word in ("山田", "0001", "q="))


def test_both_languages_say_everything() -> None:
    assert {file.name for file in (FOLDER / "ja").iterdir()} == {file.name for file in (FOLDER / "en").iterdir()}
    japanese, english = catalogue("ja"), catalogue("en")
    assert set(japanese) == set(english)
    for key, text in japanese.items():
        places = set(re.findall(r"{(\w+)}", text))
        assert places == set(re.findall(r"{(\w+)}", english[key])), key


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = kept_secret(tmp_path / "home")
    assert first == kept_secret(tmp_path / "home")
    assert len(first) >= 32
    assert (tmp_path / "home" / "secret_key").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "home").iterdir()] == ["secret_key"]


def test_an_empty_database_is_refused_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(SchemaMissing, match="osusume db upgrade"):
        create_app(Settings(storage=StorageSettings(home=tmp_path)))


def test_the_shell_the_manifest_and_the_service_worker(shop: Shop) -> None:
    client = shop.app.test_client()
    shell = client.get("/counter/")
    assert (shell.status_code, shell.mimetype, shell.headers["Cache-Control"]) == (200, "text/html", "no-cache")
    worker = client.get("/sw.js")
    assert (worker.mimetype, worker.headers["Service-Worker-Allowed"]) == ("text/javascript", "/")
    assert client.get("/manifest.webmanifest").mimetype == "application/manifest+json"
    assert client.get("/").headers["Location"] == "/sign-in"
    assert shop.tablet().get("/").headers["Location"] == "/counter/"


def test_words_go_with_their_number(shop: Shop) -> None:
    with shop.app.test_request_context("/?lang=en"):
        assert t("staff.rows_answer", n=1, name="X") == "1 row of X."
        assert t("staff.rows_answer", n="1,200", name="X") == "1,200 rows of X."
        assert t("know_how.nothing_found", n=0).count("0") == 1


def test_a_nought_has_no_sign(shop: Shop) -> None:
    with shop.app.test_request_context("/?lang=en"):
        assert [number(value, 1) for value in (-0.04, -0.06, 0.0, None)] == ["0", "-0.1", "0", "–"]
        assert [percent(share, 1) for share in (-0.0004, -0.0006, 0.0)] == ["0.0%", "-0.1%", "0.0%"]
