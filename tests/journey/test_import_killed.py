from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from journey.database import connect
from journey.intake.folder import import_folder
from tests.journey.extracts import NOW, books, rows_of

ROWS = 60_000
IMPORT = """
import sys
from pathlib import Path
from journey.database import connect
from journey.intake import csv_files, parquet_files
from journey.intake.folder import import_folder
parquet_files.BATCH = 2_000
import_folder(connect(sys.argv[1]), Path(sys.argv[2]), progress=lambda *step: print(*step, flush=True))
"""


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("delivery")
    numbers = pl.int_range(ROWS, eager=True).cast(pl.String)
    pl.DataFrame({"product_id": ["P"], "name": ["お茶"]}).write_parquet(folder / "products.parquet")
    pl.DataFrame(
        {"receipt_id": "R" + numbers, "line_no": 1, "store_id": "S", "sold_at": "2026-01-01T10:00:00+09:00",
         "customer_id": "C" + (pl.int_range(ROWS, eager=True) % 500).cast(pl.String), "product_id": "P",
         "quantity": 1, "amount": 100}
    ).write_parquet(folder / "pos_lines.parquet")  # fmt: skip
    return folder


def test_a_process_killed_in_the_middle_leaves_nothing_and_the_next_import_finishes(
    database_url: str, delivery: Path
) -> None:
    started = subprocess.Popen(
        [sys.executable, "-c", IMPORT, database_url, str(delivery)], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    for step in started.stdout:
        if step.startswith("pos_lines") and int(step.split()[1]) >= ROWS // 3:
            break
    os.kill(started.pid, signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    engine = connect(database_url)
    deadline = time.monotonic() + 20
    while rows_of(engine, "SELECT count(*) FROM import_runs") != [(0,)] and time.monotonic() < deadline:
        time.sleep(0.1)
    for table in ("import_runs", "products", "pos_lines", "customers", "stores", "fact_days"):
        assert rows_of(engine, f"SELECT count(*) FROM {table}") == [(0,)], table
    summary = import_folder(engine, delivery, now=NOW)
    assert books(summary, "pos_lines") == (ROWS, ROWS, 0, 0, 0, 0)
    assert rows_of(engine, "SELECT count(*) FROM pos_lines") == [(ROWS,)]
    engine.dispose()
