"""The ``osusume`` command line: each command parses, calls one function and prints what it returned."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from journey.errors import ModelRefused, OsusumeError, RejectedRows

DONE, FOUND_BAD, UNUSABLE = 0, 1, 2

# name → (module, one line); modules load only when their command runs, so that `osusume --help` is quick
COMMANDS = {
    "db": ("schema", "Bring the database to the newest schema."),
    "import": ("extracts", "Import an extract folder."),
    "export": ("extracts", "Write the database as an extract folder."),
    "quarantine": ("extracts", "List, export and retry the rows that were kept out."),
    "simulate": ("simulation", "Write an extract folder of an invented chain whose laws are known."),
    "train": ("models", "Train a new model version."),
    "evaluate": ("evaluation", "Evaluate every candidate model, the ranker and plain baselines."),
    "models": ("models", "List, show, promote and roll back model versions."),
    "recommend": ("recommend", "Write suggestions for many customers or contexts to a CSV file."),
    "retrain": ("retraining", "Train, evaluate, guard, promote and warm the online store; safe to run from cron."),
    "focus": ("focus", "To whom to propose the focus merchandise of the running campaigns."),
    "report": ("reports", "Print an analysis, with the same figures as on the screens."),
    "surveys": ("surveys", "Make the invitations that are due, and tell how surveys stand."),
    "plan": ("plans", "Compute a proposal of shifts for the coming days."),
    "confirm": ("reports", "Confirm outcomes from ID-POS within the attribution window."),
    "rollup": ("rollups", "Bring the sums behind screens and reports up to date; safe to run from cron."),
    "serve": ("server", "Serve the tablets, the pages and the API with gunicorn."),
    "user": ("people", "Add, list and disable people, and set their PINs."),
    "device": ("people", "Enrol, list and revoke tablets."),
    "key": ("people", "Add, list and revoke the keys of machines."),
    "customer": ("customers", "One ID, and the rights of the person behind it."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads them when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"clerk_ui.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show the traceback of an unexpected error.")
def osusume(debug: bool) -> None:
    """Osusume (お勧め): suggestions for store clerks, what came of them, and what to do next."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with 0 done, 1 done but found bad, 2 unusable input or settings."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    # BLAS threads beside the models' own only fight over the cores; must be set before numpy is first imported
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # a thread that waits for its fellows by spinning takes the core from them where something else runs too
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        status = osusume.main(args=list(arguments), prog_name="osusume", standalone_mode=False)
        sys.exit(status if isinstance(status, int) else DONE)
    except click.exceptions.Abort:
        click.echo("osusume: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(UNUSABLE)
    except OsusumeError as error:
        click.echo(f"osusume: {error.sentence}", err=True)
        sys.exit(FOUND_BAD if isinstance(error, RejectedRows | ModelRefused) else UNUSABLE)
    except BrokenPipeError:
        sys.exit(DONE)
    except Exception as error:
        if "--debug" in arguments:
            raise
        line = " ".join(str(error).split())[:300]
        click.echo(f"osusume: unexpected {type(error).__name__}: {line} – run again with: osusume --debug …", err=True)
        sys.exit(UNUSABLE)
