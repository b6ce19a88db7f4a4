"""``osusume serve``: gunicorn over ``wsgi:app``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from clerk_ui.commands.console import Desk, at_desk
from journey.errors import SettingsError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=None, type=click.IntRange(1, 64), help="Default: 2 with REDIS_URL, else 1.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1, 64), help="Per worker.")
@at_desk
def serve_command(desk: Desk, host: str, port: int, workers: int | None, threads: int) -> None:
    """Serve the tablets, the pages and the API with gunicorn."""
    shared_store = bool(desk.settings.storage.redis_url)
    workers = workers or (2 if shared_store else 1)
    if workers > 1 and not shared_store:
        raise SettingsError(
            f"{workers} workers cannot share an in-process online store",
            where="--workers",
            what_to_do="set REDIS_URL, or use one worker",
        )
    _ = desk.engine  # says so now, and not in a worker's log, where the schema is missing
    config = Path(__file__).parent.parent / "gunicorn_conf.py"
    arguments = ["--config", str(config), "--bind", f"{host}:{port}", "--workers", str(workers)]
    arguments += ["--threads", str(threads), "wsgi:app"]
    desk.progress(f"http://{host}:{port}  ({workers} worker(s) × {threads} threads)")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", *arguments])
