"""The product as its users run it: the `osusume` command and its server, as processes of their own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = [str(Path(sys.executable).with_name("osusume"))]


@dataclass(frozen=True)
class Chain:
    """One installation: its home folder, and where its database and online store are."""

    home: Path
    database_url: str = ""
    redis_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OSUSUME_") and k != "REDIS_URL"}
        named = {"OSUSUME_HOME": str(self.home), "OSUSUME_DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}
        return kept | named

    def run(self, *arguments: object, status: int = 0) -> Any:
        """Run a command with --json and return its document; any other exit status fails the test."""
        done = subprocess.run(
            [*COMMAND, *map(str, arguments), "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"osusume {arguments}: exit {done.returncode}\n{done.stderr[-3000:]}"
        assert "Traceback" not in done.stderr, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    @contextlib.contextmanager
    def serve(self, *, workers: int = 1) -> Iterator[str]:
        """The server's base URL, once it is ready."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        log = (self.home / "server.log").open("wb")
        server = subprocess.Popen(
            [*COMMAND, "serve", "--port", str(port), "--workers", str(workers)],
            env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    if call("GET", f"{url}/readyz")[0] == 200:
                        break
                assert server.poll() is None, (self.home / "server.log").read_text()[-3000:]
                time.sleep(0.1)
            else:
                raise AssertionError("the server did not get ready:\n" + (self.home / "server.log").read_text()[-3000:])
            yield url
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()
            log.close()


def call(method: str, url: str, body: Any = None, *, key: str = "") -> tuple[int, Any]:
    """One HTTP request with JSON in and out: status and document."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
    if key:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    return status, json.loads(content) if content else None
