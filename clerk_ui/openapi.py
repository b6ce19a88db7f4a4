"""What the generated OpenAPI 3.1 document says beyond the models: how to authenticate, and what problems look like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apiflask import APIFlask

from clerk_ui.problems import MEDIA_TYPE

API_VERSION = "1"
DESCRIPTION = """\
Suggestions for store clerks, what came of them, and the facts they are made from.

Machines send `Authorization: Bearer KEY`. Tablets are enrolled once and hold cookies of their own; their changes carry
the header `X-Osusume-Tablet: 1`. Ids made by clients (outcomes, notes, events) make every request safe to repeat.
Times are ISO 8601 with an offset; amounts are numbers in the chain's currency with tax included.
"""
PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Problem details (RFC 9457)",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:osusume:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "one sentence: where, what, what to do"},
        "what": {"type": "string"},
        "where": {"type": "string"},
        "what_to_do": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
}
SECURITY = {
    "machine": {"type": "http", "scheme": "bearer", "description": "from `osusume key add`"},
    "tablet": {
        "type": "apiKey",
        "in": "cookie",
        "name": "osusume_device",
        "description": "an enrolled tablet; most requests also need the cookie `osusume_session` of who is signed in",
    },
}

Responses = dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]


def answers(described: Mapping[int, str | tuple[str, str]]) -> Responses:
    """Further answers of an operation: status → description, or (description, name of the model in its body)."""
    found: Responses = {}
    for status, description in described.items():
        if isinstance(description, str):
            found[status] = {"description": description}
            continue
        text, model = description
        found[status] = {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}},
        }
    return found


def init_app(app: APIFlask) -> None:
    """Configure the generator and complete what it makes."""
    app.config.update(
        OPENAPI_VERSION="3.1.0",
        INFO={"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        SECURITY_SCHEMES=SECURITY,
        AUTO_SERVERS=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
    )
    app.spec_processor(complete)


def complete(document: dict[str, Any] | str) -> dict[str, Any] | str:
    """Add the shape of errors to every operation."""
    assert isinstance(document, dict)
    document["components"].setdefault("schemas", {})["Problem"] = PROBLEM
    # several blueprints share a tag
    document["tags"] = [{"name": name} for name in dict.fromkeys(tag["name"] for tag in document.get("tags", []))]
    failure = {
        "description": "A problem",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            operation.setdefault("security", [])  # open to everybody: said, not left out
            operation["responses"].setdefault("default", failure)
            for status, response in operation["responses"].items():
                if str(status)[0] in "45" and "content" not in response and "$ref" not in response:
                    response["content"] = failure["content"]
    return document
