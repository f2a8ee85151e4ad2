"""The command line: flags to calls, nothing else. A command's module is imported when it is called."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from kpibook.cli.terminal import plain
from kpibook.errors import KpibookError, ParamsError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "admit": "Test a KPI file or a pack, and record what passes.",
    "check": "Read a client's data: findings, and which KPIs can be computed.",
    "compare": "Compare two runs of a client: what moved, what was restated, what was defined anew.",
    "export": "Write a finished report as PDF, slides, workbook or one page.",
    "history": "List a client's finished runs, or one KPI's figures in them.",
    "init": "Make a workspace: params, notebooks, a place for KPIs of your own.",
    "kpis": "List the KPIs, or show one with definition, columns, hash and origin.",
    "lab": "Open the workbook in JupyterLab.",
    "new-kpi": "Begin a KPI: a loose file and its test.",
    "new-pack": "Begin a pack of KPIs that can be installed.",
    "plan": "Print how a client's KPIs are computed: tables, views, queries, times.",
    "portfolio": "Say of all clients who is on course, and whose reports are old, failed or drafts.",
    "run": "Make the report of one client or of many.",
    "schedule": "Make reports when they are due: list, run-due, serve, or a recipe for another scheduler.",
    "schema": "Print the JSON Schema of a params file.",
    "sql": "Print the query behind a KPI, to be run by hand.",
    "validate": "Compute a report again, and say whether it holds.",
    "verify": "Say whether a report is as its run left it, with one number for one KPI.",
}


class Commands(TyperGroup):
    """The commands by name, each read from the module of its name."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 (the signature is the group's)
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 (likewise)
        if cmd_name not in COMMANDS:
            where = "command line"
            raise ParamsError(Problem(where, f"there is no command '{cmd_name}'", did_you_mean(cmd_name, COMMANDS)))
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        module = import_module(f"kpibook.cli.{cmd_name.replace('-', '_')}")
        if hasattr(module, "app"):
            module.app.info.name, module.app.info.help = cmd_name, COMMANDS[cmd_name]
            return typer.main.get_command(module.app)
        text = f"{COMMANDS[cmd_name]}\n\n{module.command.__doc__}"
        single.command(cmd_name, help=text)(module.command)
        return typer.main.get_command(single)

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 (likewise)
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"kpibook {version('kpibook')}")
        raise typer.Exit


app = typer.Typer(cls=Commands, add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    """Honest KPIs for audits of customer-loyalty programmes.

    Exit codes: 0 done · 2 params or usage · 3 data refused · 4 a run failed · 5 report made but not valid.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code; errors the user can mend are printed as their text."""
    group = typer.main.get_command(app)
    try:
        with plain():
            group.main(args=list(sys.argv[1:] if arguments is None else arguments), prog_name="kpibook")
    except KpibookError as error:
        with plain():
            typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
