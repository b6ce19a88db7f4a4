"""ISO 8601 times, with or without an offset, and the local day of a moment in a store's own zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import available_timezones

import polars as pl

DAY = 86_400_000_000
HOUR = 3_600_000_000
EARLIEST, LATEST = -2_208_988_800_000_000, 7_258_118_400_000_000  # 1900-01-01 and 2200-01-01
ISO_8601 = (
    r"^(\d{4})-?(\d{2})-?(\d{2})(?:[Tt ](\d{2})(?::?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?)?)?"
    r" ?(?:([Zz])|([+-]\d{2})(?::?(\d{2}))?)?$"
)
WITH_OFFSET = "%Y-%m-%dT%H:%M:%S%.f%:z"
WITHOUT_OFFSET = "%Y-%m-%dT%H:%M:%S%.f"


@dataclass(frozen=True)
class Zones:
    """The chain's zone, and those of its stores."""

    default: str
    of_store: dict[str, str]

    def of(self, stores: pl.Series | None, height: int) -> pl.Series | str:
        """The zone of each row; one name where all rows share it, which is the usual and the fast case."""
        if stores is None or not self.of_store or set(self.of_store.values()) == {self.default}:
            return self.default
        unique = stores.unique()
        found = [self.of_store.get(store, self.default) for store in unique.to_list()]
        if len(set(found)) == 1:
            return found[0]
        named = pl.Series(found, dtype=pl.String)
        frame = pl.DataFrame({"store": unique, "zone": named})
        rows = pl.DataFrame({"store": stores})
        return rows.join(frame, on="store", how="left", nulls_equal=True, maintain_order="left")["zone"]


def known_zone(name: str) -> bool:
    """Whether the IANA database has this zone."""
    return name in available_timezones()


def read_instants(text: pl.Series, zone: pl.Series | str) -> pl.Series:
    """Microseconds since the epoch (Int64) of ISO 8601 texts; null where a text is none.

    Args:
        text: trimmed texts; a bare date means 00:00 that day.
        zone: the zone of the texts without an offset, one for all or one per text.
    """
    absolute = text.str.to_datetime(WITH_OFFSET, strict=False, time_unit="us", time_zone="UTC")
    local = text.str.to_datetime(WITHOUT_OFFSET, strict=False, time_unit="us")
    rest = text.is_not_null() & absolute.is_null() & local.is_null()
    if rest.any():
        usual, bare = _usual_form(text.filter(rest))
        where = rest.arg_true()
        absolute = absolute.scatter(
            where, usual.str.to_datetime(WITH_OFFSET, strict=False, time_unit="us", time_zone="UTC")
        )
        local = local.scatter(where, bare.str.to_datetime(WITHOUT_OFFSET, strict=False, time_unit="us"))
    moments = absolute.to_physical()
    if local.null_count() < len(local):
        moments = moments.zip_with(absolute.is_not_null(), localise(local, zone))
    return moments


def _usual_form(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """The same moments written in the two forms that are read directly: with an offset, and without."""
    y, m, d, h, minute, second, fraction, zulu, hours, minutes = (
        pl.col(f"field_{k}") for k in range(10)
    )  # fmt: skip
    local = pl.concat_str(
        y, pl.lit("-"), m, pl.lit("-"), d, pl.lit("T"), h.fill_null("00"), pl.lit(":"), minute.fill_null("00"),
        pl.lit(":"), second.fill_null("00"), pl.lit("."), fraction.fill_null("0"),
    )  # fmt: skip
    offset = pl.when(zulu.is_not_null()).then(pl.lit("+00:00")).otherwise(
        pl.concat_str(hours, pl.lit(":"), minutes.fill_null("00"))
    )  # fmt: skip
    groups = text.str.extract_groups(ISO_8601).struct.rename_fields([f"field_{k}" for k in range(10)])
    both = groups.struct.unnest().select(usual=pl.concat_str(local, offset), bare=pl.when(offset.is_null()).then(local))
    return both["usual"], both["bare"]


def localise(local: pl.Series, zone: pl.Series | str) -> pl.Series:
    """Microseconds since the epoch of clock readings (naive Datetime) in a zone, or in one zone per row.

    An hour that a summer-time change repeats is taken as its first pass; one that it skips is read with the
    offset before the change, as Python's zoneinfo does.
    """
    return _per_zone(local, zone, _localise)


def local_days(moments: pl.Series, zone: pl.Series | str) -> pl.Series:
    """Days since 1970-01-01 (Int32) on the clock of a zone, or of one zone per row; ``moments`` in microseconds."""
    return _per_zone(moments.cast(pl.Datetime("us", "UTC")), zone, _local_days)


def _localise(local: pl.Series, zone: str) -> pl.Series:
    found = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").to_physical()
    skipped = local.is_not_null() & found.is_null()
    if skipped.any():
        before = local.dt.offset_by("-3h").dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        found = found.zip_with(~skipped, before.to_physical() + 3 * HOUR)
    return found


def _local_days(moments: pl.Series, zone: str) -> pl.Series:
    return moments.dt.convert_time_zone(zone).dt.date().to_physical()


def _per_zone(values: pl.Series, zone: pl.Series | str, work: Callable[[pl.Series, str], pl.Series]) -> pl.Series:
    if isinstance(zone, str):
        return work(values, zone)
    result: pl.Series | None = None
    for name in zone.unique().to_list():
        here = zone == name
        part = work(values.filter(here), name)
        result = pl.repeat(None, len(values), dtype=part.dtype, eager=True) if result is None else result
        result = result.scatter(here.arg_true(), part)
    assert result is not None
    return result
