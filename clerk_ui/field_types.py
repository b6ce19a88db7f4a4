"""Types of fields in requests and responses."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from clerk_ui.json_values import plain
from journey.errors import InputError

MOST_YEARS = (1990, 2200)


def no_nul(value: str) -> str:
    """Refuse what PostgreSQL cannot store."""
    if "\x00" in value:
        raise ValueError("must not contain NUL")
    return value


def _sane_year(moment: datetime) -> datetime:
    if not MOST_YEARS[0] <= moment.year <= MOST_YEARS[1]:
        raise ValueError(f"is not between {MOST_YEARS[0]} and {MOST_YEARS[1]}")
    return moment


def _client_uuid(value: Any) -> Any:
    if isinstance(value, str):
        return str(UUID(value))
    return value


NoNul = AfterValidator(no_nul)
Id = Annotated[str, Field(min_length=1, max_length=64), NoNul]
Line = Annotated[str, Field(max_length=200), NoNul]
Text = Annotated[str, Field(max_length=2000), NoNul]
ClientUuid = Annotated[
    str,
    BeforeValidator(_client_uuid),
    Field(description="a UUID made by the client", json_schema_extra={"format": "uuid"}),
]
Moment = Annotated[AwareDatetime, AfterValidator(_sane_year)]
Price = Annotated[Decimal, PlainSerializer(plain, return_type=int | float)]


class Document(BaseModel):
    """What we send."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """What is sent to us; unknown fields are refused, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parsed_uuid(given: str, where: str) -> str:
    """The canonical form of a UUID from a path.

    Raises:
        InputError: it is none.
    """
    try:
        return str(UUID(given))
    except ValueError as error:
        raise InputError(f"{given[:80]!r} is no UUID", where=where, what_to_do="send a UUID made for it") from error
