"""Long work that a page asks for runs as a command beside the server, so that no worker waits for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from flask import Flask, current_app

from clerk_ui.application_settings import settings
from clerk_ui.settings import Settings, variables

STARTER = "osusume.background"  # what starts a command: the operating system, or a test's list


def init_app(app: Flask) -> None:
    """Start commands as processes of their own."""
    with app.app_context():
        known = settings()
    starter: Callable[[tuple[str, ...]], None] = lambda arguments: start_process(known, arguments)  # noqa: E731
    app.extensions[STARTER] = starter


def start_command(*arguments: str) -> None:
    """Start ``osusume ARGUMENTS`` with the settings of this server, and go on."""
    starter: Callable[[tuple[str, ...]], None] = current_app.extensions[STARTER]
    starter(arguments)


def start_process(known: Settings, arguments: tuple[str, ...]) -> None:
    """Start a command that outlives the worker which started it."""
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    for variable, (section, field) in variables().items():
        value = getattr(getattr(known, section), field)
        environment[variable] = str(value).lower() if isinstance(value, bool) else str(value)
    subprocess.Popen(
        [sys.executable, "-c", "from clerk_ui.commands import main; main()", *arguments],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
