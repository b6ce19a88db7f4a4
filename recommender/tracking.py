"""What a training run tells an MLflow tracking server: parameters, figures, and the manifest as an artefact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from journey.errors import Unavailable

EXPERIMENT = "osusume"
PARAMETER_LENGTH = 500


def log_run(uri: str, manifest: Mapping[str, Any], *, command: str, promoted: bool) -> str:
    """Log one version as a run of the experiment EXPERIMENT; returns the run's id.

    Parameters are the plan, the choices and the seed; metrics every figure of the manifest and the seconds of each
    stage; tags the version, its cut-off, the code, the digests of the data and whether it was promoted; the artefact
    is ``manifest.json`` whole. The model files stay where they are: the registry alone says what serves.

    Raises:
        Unavailable: the package is not installed, or the server cannot be reached.
    """
    try:
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise Unavailable(
            "MLflow is not installed", where="MLFLOW_TRACKING_URI", what_to_do="pip install 'osusume[mlflow]'"
        ) from error

    created = int(datetime.fromisoformat(str(manifest["created_at"])).timestamp() * 1000)
    figures = {**dict(numbers(manifest["metrics"])), **dict(numbers(manifest["stage_seconds"], "seconds"))}
    tags = {
        "version": manifest["version"],
        "cut_off": manifest["cut_off"],
        "command": command,
        "promoted": str(promoted).lower(),
        "code": manifest["code"]["recommender"],
        **{f"data.{name}": f"{told['rows']} rows, {told['sha256']}" for name, told in manifest["data"].items()},
    }
    parameters = {"seed": manifest["seed"], **flat(manifest["parameters"])}
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        known = client.get_experiment_by_name(EXPERIMENT)
        experiment = client.create_experiment(EXPERIMENT) if known is None else known.experiment_id
        run = client.create_run(experiment, start_time=created, run_name=manifest["version"])
        run_id: str = run.info.run_id
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, created, 0) for name, value in figures.items()],
            params=[Param(name, str(value)[:PARAMETER_LENGTH]) for name, value in list(parameters.items())[:100]],
            tags=[RunTag(name, str(value)) for name, value in tags.items()],
        )
        client.log_dict(run_id, {k: v for k, v in manifest.items() if k != "files"}, "manifest.json")
        client.set_terminated(run_id)
    except (MlflowException, OSError) as error:
        line = " ".join(str(error).split())[:200]
        raise Unavailable(
            f"the run was not logged ({line})", where=uri, what_to_do="see to the tracking server"
        ) from error
    return run_id


def numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a nested document under its path; MLflow allows no @ in a name."""
    for name, value in values.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        if isinstance(value, Mapping):
            yield from numbers(value, path)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield path.replace("@", "_at_"), float(value)


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested document as one level of dotted names; lists stay whole."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        found |= flat(value, path) if isinstance(value, Mapping) else {path: value}
    return found
