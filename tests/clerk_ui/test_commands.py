"""The command line as tools and people call it: exit statuses, one line that says what to do, never a traceback."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from clerk_ui.commands import extracts
from recommender.registry import Registry
from tests.processes import COMMAND, Chain
from tests.recommender.worlds import scored

EXTRACT = {
    "stores.csv": "store_id,name\n001,本店\n",
    "clerks.csv": "clerk_id,store_id,name,role\nK1,001,佐藤,clerk\nM1,001,高橋,manager\n",
    "customers.csv": "customer_id,name,consent_profiling\nC1,山田,true\nC2,鈴木,false\n",
    "pos_lines.csv": (
        "receipt_id,line_no,store_id,sold_at,customer_id,product_id,quantity,amount,colour\n"
        + "".join(
            f"R{n},{line},001,2026-01-{1 + n:02},C{1 + n % 2},P{(n * line) % 7},1,100,red\n"
            for n in range(20)
            for line in (1, 2, 3)
        )
        + "R99,1,001,2026-01-02,C1,P1,0,100,red\n"
    ),
}


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    folder = tmp_path / "extract"
    folder.mkdir()
    for name, content in EXTRACT.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    chain = Chain(tmp_path / "home")
    chain.run("db", "upgrade")
    return chain


def told(chain: Chain, *arguments: object) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command without --json."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], env=chain.environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "no-such-folder"], "no-such-folder"),
        (["models", "show"], "osusume train"),
        (["models", "promote", "nothing"], "osusume models list"),
        (["train"], "import"),
        (["recommend", "--customers", "all", "--out", "x.csv"], "osusume train"),
        (["user", "add", "x", "--store", "999", "--pin", "2468"], "999"),
        (["device", "enrol", "--store", "999"], "999"),
        (["customer", "show", "nobody"], "nobody"),
        (["report", "staff", "--kgi", "nps"], "--kgi"),
        (["report", "sales"], "sales"),
    ],
)
def test_unusable_input_is_one_line_and_status_2(chain: Chain, arguments: list[str], words: str) -> None:
    status, stdout, stderr = told(chain, *arguments)
    assert status == 2
    assert words in stderr
    assert "Traceback" not in stderr
    assert "unexpected" not in stderr
    assert stdout == ""


def test_without_tables_every_command_names_the_one_that_makes_them(tmp_path: Path) -> None:
    status, _, stderr = told(Chain(tmp_path), "report", "staff")
    assert (status, stderr.count("\n")) == (2, 1)
    assert "osusume db upgrade" in stderr


def test_the_books_of_an_import_add_up_and_strict_imports_nothing(chain: Chain, extract: Path) -> None:
    refused = chain.run("import", extract, "--strict", status=1)
    assert refused["reasons"][0]["line"] == 62
    assert chain.run("quarantine", "list")["rows"] == []
    lines = next(t for t in chain.run("import", extract)["tables"] if t["table"] == "pos_lines")
    assert (lines["read"], lines["inserted"], lines["quarantined"]) == (61, 60, 1)
    assert lines["unknown_columns"] == ["colour"]
    assert lines["stubs"] == 7

    kept = chain.run("quarantine", "list")["rows"]
    assert [(row["file"], row["line"]) for row in kept] == [("pos_lines.csv", 62)]
    chain.run("quarantine", "export", chain.home / "kept")
    file = chain.home / "kept" / "pos_lines.csv"
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    rows[0]["quantity"] = "2"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert chain.run("quarantine", "retry", file)["settled"] == 1
    assert chain.run("quarantine", "list")["rows"] == []


def test_figures_are_added_up_at_the_import_unless_left_to_later(chain: Chain, extract: Path) -> None:
    def staffing() -> int:
        done = chain.run("rollup", "staffing")["rollups"]
        return int(done[0]["days"])

    assert chain.run("import", extract, "--later")["tables"][0]["read"] == 1
    assert staffing() > 0
    rest = (extract / "pos_lines.csv").read_text(encoding="utf-8").replace("2026-01", "2026-03")
    (extract / "pos_lines.csv").write_text(rest.replace("R", "Q"), encoding="utf-8")
    status, told_first, progress = told(chain, "import", extract)
    assert status == 0
    assert "pos_lines" in told_first
    assert "adding up the figures on the screens" in progress
    assert staffing() == 0


def test_who_does_not_wait_for_the_figures_loses_nothing(
    chain: Chain, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(extracts, "roll_up", interrupted)
    for name, value in chain.environment.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(extracts.import_command, [str(extract)])
    assert done.exit_code == 0, done.output
    assert "pos_lines" in done.stdout
    assert "everything is imported" in done.stderr.replace("\n", " ")
    assert chain.run("rollup", "staffing")["rollups"][0]["days"] > 0


def test_people_tablets_and_keys(chain: Chain, extract: Path) -> None:
    chain.run("import", extract)
    made = chain.run("user", "add-all")["stores"]["001"]
    assert {(person["clerk_id"], person["role"]) for person in made} == {("K1", "clerk"), ("M1", "manager")}
    assert all(person["pin"].isdigit() and len(person["pin"]) == 6 for person in made)
    assert chain.run("user", "add-all")["stores"] == {}
    chain.run("user", "disable", "K1")
    assert {u["account_id"]: u["disabled"] for u in chain.run("user", "list")["users"]} == {"K1": True, "M1": False}
    device = chain.run("device", "enrol", "--store", "001")
    chain.run("device", "revoke", device["device_id"])
    key = chain.run("key", "add", "--name", "till", "--scope", "pos-lines")
    assert key["scopes"] == ["pos-lines"]
    listed = chain.run("key", "list")["keys"]
    assert key["key"] not in json.dumps(listed)
    chain.run("key", "revoke", key["key_id"])
    assert chain.run("key", "list")["keys"][0]["revoked_at"] is not None


def test_who_refused_profiling_gets_what_a_stranger_gets(chain: Chain, extract: Path, tmp_path: Path) -> None:
    chain.run("import", extract)
    version = chain.run("train", "--budget", 0.1)["version"]
    chain.run("recommend", "--customers", "all", "--k", 3, "--out", tmp_path / "all.csv")
    (tmp_path / "asked.csv").write_text("customer_id\nnobody\nC2\n", encoding="utf-8")
    chain.run("recommend", "--customers", tmp_path / "asked.csv", "--k", 3, "--out", tmp_path / "few.csv.gz")
    rows = list(csv.DictReader((tmp_path / "all.csv").open(encoding="utf-8")))
    lists = {c: [(r["product_id"], r["reason"]) for r in rows if r["customer_id"] == c] for c in ("C1", "C2")}
    assert {reason for _, reason in lists["C2"]} == {"多くのお客様に選ばれている商品です"}
    assert any("お買い上げ" in reason for _, reason in lists["C1"])
    with gzip.open(tmp_path / "few.csv.gz", "rt", encoding="utf-8") as file:
        few = list(csv.DictReader(file))
    assert [r["product_id"] for r in few if r["customer_id"] == "nobody"] == [p for p, _ in lists["C2"]]
    assert chain.run("models", "show")["version"] == version


def test_the_erased_are_strangers_to_a_model_that_still_knew_them(chain: Chain, extract: Path, tmp_path: Path) -> None:
    chain.run("import", extract)
    chain.run("train", "--budget", 0.1)
    (tmp_path / "asked.csv").write_text("customer_id\nC1\nnobody\n", encoding="utf-8")

    def asked() -> dict[str, list[str]]:
        chain.run("recommend", "--customers", tmp_path / "asked.csv", "--k", 3, "--out", tmp_path / "asked-out.csv")
        rows = list(csv.DictReader((tmp_path / "asked-out.csv").open(encoding="utf-8")))
        return {
            name: [r["product_id"] + r["reason"] for r in rows if r["customer_id"] == name] for name in ("C1", "nobody")
        }

    before = asked()
    assert before["C1"] != before["nobody"]
    chain.run("customer", "erase", "C1", "--yes")
    assert asked()["C1"] == before["nobody"]
    chain.run("recommend", "--customers", "all", "--k", 3, "--out", tmp_path / "all.csv")
    assert "C1" not in (tmp_path / "all.csv").read_text(encoding="utf-8")


def test_merging_and_splitting_customers(chain: Chain, extract: Path, tmp_path: Path) -> None:
    chain.run("import", extract)
    chain.run("customer", "merge", "C1", "C2", "--why", "same phone")
    assert chain.run("customer", "show", "C2")["one_id"] == "C1"
    chain.run("customer", "split", "C2")
    assert chain.run("customer", "show", "C2")["one_id"] == "C2"
    chain.run("customer", "export", "C1", "--out", tmp_path / "c1.json")
    assert len(json.loads((tmp_path / "c1.json").read_text(encoding="utf-8"))["pos_lines"]) == 30
    chain.run("customer", "erase", "C1", status=2)
    chain.run("customer", "erase", "C1", "--yes")
    chain.run("customer", "show", "C1", status=2)
    chain.run("export", tmp_path / "out")
    assert "山田" not in (tmp_path / "out" / "customers.csv").read_text(encoding="utf-8")


def test_retraining_puts_a_new_version_into_use_and_leaves_a_trail(chain: Chain, extract: Path) -> None:
    chain.run("import", extract)
    first = chain.run("train", "--as-of", "2026-01-15", "--budget", 0.1)
    assert first["current"]
    done = chain.run("retrain", "--budget", 0.1)
    assert (done["before"], done["comparison"]) == (first["version"], None)  # two customers are too few to judge by
    versions = {v["version"]: v for v in chain.run("models", "list")["versions"]}
    assert [v for v, manifest in versions.items() if manifest["current"]] == [done["version"]]
    assert versions[done["version"]]["rows"] > versions[first["version"]]["rows"]
    assert chain.run("models", "rollback")["version"] == first["version"]


def test_the_same_data_and_seed_give_the_same_suggestions(chain: Chain, extract: Path, tmp_path: Path) -> None:
    chain.run("import", extract)
    for name in ("once", "again"):
        version = chain.run("train", "--seed", 3, "--budget", 0.1)["version"]
        options = ("--version", version, "--k", 5, "--out", tmp_path / f"{name}.csv")
        chain.run("recommend", "--customers", "all", *options)
    assert (tmp_path / "once.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()


def test_a_worse_version_is_refused_with_its_figures_and_forced_with_a_reason(chain: Chain) -> None:
    registry, now = Registry(chain.home), datetime(2026, 6, 2, tzinfo=UTC)
    good, worse = (registry.add(scored(value), now=now + timedelta(days=day)) for day, value in enumerate((0.2, 0.1)))
    refused = chain.run("models", "promote", worse, status=1)
    assert (refused["current"], refused["before"]) == (False, good)
    assert (refused["comparison"]["candidate"], refused["comparison"]["current"]) == (0.1, 0.2)
    status, _, stderr = told(chain, "models", "promote", worse)
    assert (status, stderr.count("\n")) == (1, 1)
    assert "--force" in stderr
    assert chain.run("models", "show")["version"] == good
    assert chain.run("models", "promote", worse, "--force", "--why", "a trial")["before"] == good
    listed = chain.run("models", "list")
    assert [entry["action"] for entry in listed["history"]] == ["promote", "refuse", "refuse", "promote"]
    assert (listed["history"][-1]["why"], listed["running"]) == ("a trial", None)
    assert chain.run("models", "rollback")["version"] == good


def test_every_training_is_logged_to_mlflow_and_a_dead_server_spoils_none(
    chain: Chain, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain.run("import", extract)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # of MLflow itself, which warns of file stores
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{tmp_path / 'runs'}")
    trained = chain.run("train", "--seed", 4, "--budget", 0.1)
    run = next((tmp_path / "runs").glob(f"*/{trained['tracking']['run_id']}"))
    assert (run / "params" / "seed").read_text() == "4"
    assert (run / "tags" / "version").read_text() == trained["version"]
    assert (run / "tags" / "promoted").read_text() == "true"
    assert (run / "metrics" / "seconds.lists").exists()
    manifest = json.loads((run / "artifacts" / "manifest.json").read_text())
    assert manifest["data"]["carded_lines"]["rows"] == 54  # of 60, where the same product stands twice in a basket
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file://{extract / 'stores.csv'}")
    again = chain.run("retrain", "--budget", 0.1)
    assert "not logged" in again["tracking"]["error"]
    assert chain.run("models", "show")["version"] == again["version"]


def test_a_plan_from_the_command_line_says_what_it_lacks_and_what_it_found(chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "floor"
    folder.mkdir()
    (folder / "stores.csv").write_text("store_id,name\n001,本店\n")
    (folder / "clerks.csv").write_text("clerk_id,store_id,name,role\nK1,001,佐藤,clerk\nK2,001,鈴木,clerk\n")
    today = datetime.now(UTC).date()
    traffic, shifts = ["store_id,starts_at,minutes,entered"], ["clerk_id,store_id,starts_at,ends_at,duty"]
    for back in range(21):
        day = today - timedelta(days=back)
        traffic += [f"001,{day}T{hour:02}:00:00+09:00,60,8" for hour in range(10, 18)]
        shifts += [f"K{1 + (back + n) % 2},001,{day}T10:00:00+09:00,{day}T18:00:00+09:00,floor" for n in range(2)]
    (folder / "traffic.csv").write_text("\n".join(traffic))
    (folder / "shifts.csv").write_text("\n".join(shifts))
    status, _, complaint = told(chain, "plan", "--store", "001")
    assert status == 2
    assert "osusume rollup" in complaint
    chain.run("import", folder)
    chain.run("rollup")
    document = chain.run("plan", "--store", "001", "--days", 2, "--seconds", 1)
    assert {"plan_id", "shifts", "needed", "planned", "before", "after", "gaps"} <= document.keys()
    assert document["shifts"]
