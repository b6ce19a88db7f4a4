"""How well the record knows its people: what is tied to a person, who is there twice, which identifiers many use."""

from __future__ import annotations

from analytics.one_id.report import report

__all__ = ["report"]
