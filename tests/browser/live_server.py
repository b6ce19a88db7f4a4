"""The product's own server as a process that can be killed, and started again at the same address."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("osusume"))


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class LiveServer:
    """``osusume serve`` on one database and one port for as long as the object lives, however often it is killed."""

    def __init__(self, home: Path, database_url: str, **settings: str) -> None:
        self.home, self.database_url, self.port = home, database_url, free_port()
        self.settings = settings  # further variables of the environment
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until the server is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OSUSUME_")}
        environment |= {"OSUSUME_HOME": str(self.home), "OSUSUME_DATABASE_URL": self.database_url}
        environment |= self.settings
        environment.pop("REDIS_URL", None)
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [COMMAND, "serve", "--port", str(self.port), "--workers", "1"],
                env=environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        for _ in range(400):
            with (
                contextlib.suppress(OSError, urllib.error.HTTPError),
                urllib.request.urlopen(f"{self.url}/readyz", timeout=5),
            ):
                return
            assert self._process.poll() is None, self.log()
            time.sleep(0.05)
        raise AssertionError(f"the server did not get ready:\n{self.log()}")

    def kill(self) -> None:
        """SIGKILL to the server and its workers: nothing is finished, nothing is said."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop in order."""
        self._end(signal.SIGTERM)

    def log(self) -> str:
        """The end of what the server said."""
        return (self.home / "server.log").read_text(errors="replace")[-3000:]

    def _end(self, sign: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, sign)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None
