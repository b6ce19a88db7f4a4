"""Every error that Osusume raises on purpose, as one tree.

OsusumeError
├── InputError              what was handed in cannot be used (exit 2, HTTP 400/422)
│   ├── UnreadableFile      a file of an extract cannot be read at all
│   ├── RejectedRows        rows were rejected and the caller asked for none to be (exit 1)
│   └── NotEnoughData       the data cannot carry what was asked of them
├── SettingsError           the environment or the schema is not as it must be (exit 2)
│   └── SchemaMissing       the database has no tables yet, or old ones
├── NotFound                an id that nothing answers to (HTTP 404)
├── Conflict                the same id with other content, or a state that forbids it (HTTP 409)
├── NotAllowed              the person or key may not do this (HTTP 403)
│   └── NotAuthenticated    nobody has said who they are, or wrongly (HTTP 401)
├── TooMany                 more than is taken at once, or too often (HTTP 413/429)
├── ModelRefused            a model was refused by its guard (exit 1)
└── Unavailable             a part that must answer does not (HTTP 503)
"""

from __future__ import annotations

from typing import Any


class OsusumeError(Exception):
    """An error that says what is wrong, where, and what to do about it.

    ``facts`` are machine-readable and travel into problem+json documents.
    """

    def __init__(self, what: str, *, where: str = "", what_to_do: str = "", **facts: Any) -> None:
        self.what, self.where, self.what_to_do, self.facts = what, where, what_to_do, facts
        super().__init__(self.sentence)

    @property
    def sentence(self) -> str:
        """One line: where, what, what to do."""
        text = f"{self.where}: {self.what}" if self.where else self.what
        return " ".join(f"{text} – {self.what_to_do}".split()) if self.what_to_do else " ".join(text.split())


class InputError(OsusumeError):
    """What was handed in cannot be used."""


class UnreadableFile(InputError):
    """A file of an extract cannot be read at all; nothing of the folder was imported."""


class RejectedRows(InputError):
    """Rows were rejected where the caller asked for none to be."""


class NotEnoughData(InputError):
    """The data at hand cannot carry what was asked of them."""


class SettingsError(OsusumeError):
    """The environment or the schema is not as it must be."""


class SchemaMissing(SettingsError):
    """The database has no tables yet, or those of an older version."""


class NotFound(OsusumeError):
    """An id that nothing answers to."""


class Conflict(OsusumeError):
    """The same id with other content, or a state that forbids the step."""


class NotAllowed(OsusumeError):
    """The person or the key may not do this."""


class NotAuthenticated(NotAllowed):
    """Nobody has said who they are, or wrongly."""


class TooMany(OsusumeError):
    """More than is taken at once, or too often."""


class ModelRefused(OsusumeError):
    """A model was refused by its guard."""


class Unavailable(OsusumeError):
    """A part that must answer does not."""
