"""gunicorn's settings; ``osusume serve`` names bind, workers and threads beside them.

Loaded in gunicorn's master before anything imports numpy. The application is not preloaded: a fork after threads have
run hangs LightGBM, polars and their kind, and memory-mapped model files are shared between workers anyway.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

# More BLAS or OpenMP threads than cores make a ranked answer some twelve times slower; one each is the right number.
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS"):
    os.environ[_name] = "1"
# Workers leave their numbers here, and whichever is asked for /metrics adds them up; a new folder for each start.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _metrics = tempfile.mkdtemp(prefix="osusume-metrics-")

pythonpath = str(Path(__file__).resolve().parent.parent)  # wsgi.py lies beside the packages, wherever one stands
bind = "127.0.0.1:8000"
workers = 2
threads = 4
worker_class = "gthread"
preload_app = False
keepalive = 75  # tablets keep their connection between two customers
timeout = 60
graceful_timeout = 30  # an outcome on its way is answered before a worker goes
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 - gunicorn's heartbeat file, no secrets
control_socket_disable = True
accesslog = None  # clerk_ui.request_log writes one line per request, without query strings
errorlog = "-"
loglevel = "warning"


def child_exit(server: Any, worker: Any) -> None:
    """Keep the counts of a worker that is gone, and drop its gauges."""
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Leave nothing behind."""
    shutil.rmtree(_metrics, ignore_errors=True)
