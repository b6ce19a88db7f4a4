"""The only reader of the environment: frozen sections, read once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from journey.errors import SettingsError


class Section(BaseModel):
    """A group of settings; frozen, and strict about names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ChainSettings(Section):
    """The retail chain itself."""

    name: str = Field(default="Osusume", description="name of the chain, shown on every screen")
    timezone: str = Field(
        default="Asia/Tokyo", description="local time where a row names no store or its store has no zone"
    )
    currency: str = Field(default="JPY", description="ISO 4217 code of all amounts, tax included")
    consent_default: Literal["allowed", "refused"] = Field(
        default="allowed", description="what an unknown consent to profiling means"
    )
    attribution_hours: int = Field(
        default=24, ge=1, le=24 * 60, description="how long after a suggestion the till may confirm it"
    )
    member_prefix: str = Field(
        default="29",
        pattern=r"^2[0-9]{1,5}$",
        description="how the JAN-13 on the card of a new member begins; in the range 20 to 29 that shops give out",
    )

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no IANA time zone") from error
        return value


class StorageSettings(Section):
    """Where things are kept."""

    home: Path = Field(default=Path("var"), description="folder of the embedded database, the lake and the model files")
    database_url: str = Field(default="", description="SQLAlchemy URL; empty: an SQLite file under the home folder")
    redis_url: str = Field(default="", description="online store; empty: in-process, for a single process only")
    mlflow_tracking_uri: str = Field(
        default="", description="every training is logged there too; needs the extra `mlflow`; empty: nowhere"
    )

    @property
    def database(self) -> str:
        """The database URL with its default filled in."""
        return self.database_url or f"sqlite:///{self.home.resolve() / 'osusume.db'}"


class WebSettings(Section):
    """How the app is served."""

    secret_key: str = Field(default="", description="signs sessions; empty: made once and kept under the home folder")
    secure_cookies: bool = Field(
        default=False, description="send session cookies over HTTPS only (set it in production)"
    )
    public_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="address at which customers' phones reach the server (survey pages, new members); "
        "empty: the one the tablet uses",
    )
    image_hosts: str = Field(
        default="",
        pattern=r"^([a-z0-9.-]+(:[0-9]+)?( [a-z0-9.-]+(:[0-9]+)?)*)?$",
        description="hosts that product pictures may come from over HTTPS, parted by spaces; empty: our own only",
    )
    idle_lock_seconds: int = Field(default=300, ge=30, description="a tablet locks after this long without a touch")
    session_hours: int = Field(default=12, ge=1, description="a person signs in again after this long")
    exploration: float = Field(
        default=0.1, ge=0, le=0.5, description="share of sets with a randomised slot, for learning"
    )
    holdout: float = Field(
        default=0.0, ge=0, le=0.5, description="share of customers for whom nothing is shown, by design"
    )
    first_purchase_value: float = Field(
        default=2.0, ge=0, le=100, description="what a first purchase is worth against one more purchase of the same"
    )
    restricted_categories: str = Field(
        default="",
        description="categories, separated by a vertical bar, "
        "that are never proposed from inference (alcohol, remedies)",
    )
    beacon_origins: str = Field(
        default="", description="origins of the web shop whose pages may send events, separated by spaces"
    )
    proxies: int = Field(default=0, ge=0, le=5, description="reverse proxies in front; their forwarded address is used")
    demo_shop: bool = Field(default=False, description="a small web shop at `/demo/shop` to try the beacon in")

    @property
    def shop_origins(self) -> frozenset[str]:
        """Origins as browsers send them."""
        return frozenset(origin.rstrip("/") for origin in self.beacon_origins.split())


class Settings(Section):
    """All settings; ``from_environment`` is the only place where the environment is read."""

    chain: ChainSettings = ChainSettings()
    storage: StorageSettings = StorageSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read ``OSUSUME_*``, ``REDIS_URL`` and ``MLFLOW_TRACKING_URI``.

        Raises:
            SettingsError: a value cannot be used; names the variable.
        """
        environment = os.environ if environment is None else environment
        sections: dict[str, dict[str, str]] = {}
        for variable, (section, field) in variables().items():
            if environment.get(variable, "") != "":
                sections.setdefault(section, {})[field] = environment[variable]
        try:
            return cls.model_validate(sections)
        except ValidationError as error:
            first = error.errors()[0]
            section, field = str(first["loc"][0]), str(first["loc"][1])
            name = next(v for v, place in variables().items() if place == (section, field))
            raise SettingsError(first["msg"], where=name, what_to_do="correct the environment variable") from error


def variables() -> dict[str, tuple[str, str]]:
    """Environment variable → (section, field), for every setting there is."""
    named = {"REDIS_URL": ("storage", "redis_url"), "MLFLOW_TRACKING_URI": ("storage", "mlflow_tracking_uri")}
    for section, info in Settings.model_fields.items():
        assert isinstance(info.annotation, type)
        assert issubclass(info.annotation, Section)
        for field in info.annotation.model_fields:
            if (section, field) not in named.values():
                named[f"OSUSUME_{field.upper()}" if section != "chain" or field != "name" else "OSUSUME_CHAIN_NAME"] = (
                    section,
                    field,
                )
    return named
