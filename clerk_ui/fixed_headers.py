"""The headers that every answer carries, put on where WSGI hands over the list: ten at once for the price of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


class FixedHeaders:
    """A WSGI application around another that adds what its answer does not say itself; `not_kept` is left out where
    the path begins with one of `kept_paths`.
    """

    def __init__(
        self, inner: Any, always: Sequence[tuple[str, str]], not_kept: tuple[str, str], kept_paths: tuple[str, ...]
    ) -> None:
        self._inner, self._kept_paths = inner, kept_paths
        self._kept = list(always)
        self._not_kept = [*always, not_kept]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer as the other does."""
        fixed = self._kept if environ.get("PATH_INFO", "").startswith(self._kept_paths) else self._not_kept

        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said = {name.lower() for name, _ in headers}
            headers.extend([pair for pair in fixed if pair[0].lower() not in said])
            return start_response(status, headers, *more)

        answer: Iterable[bytes] = self._inner(environ, start)
        return answer
