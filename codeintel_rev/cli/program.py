"""The program: finds the command, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from codeintel_rev import __version__
from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.output import Output, take_output_flags
from codeintel_rev.errors import CodeIntelError, InvalidArgument

COMMANDS: Final = (
    "index",
    "search",
    "ask",
    "watch",
    "status",
    "compact",
    "remove",
    "doctor",
    "eval",
    "bench",
)
"""Each is a module of this package with a Typer ``app``."""


class LazyGroup(TyperGroup):
    """Imports a command's module when the command is named, not when the program starts."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command called ``cmd_name``, or ``None``."""
        if cmd_name not in COMMANDS:
            return None
        command = get_command(import_module(f"codeintel_rev.cli.{cmd_name}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="codeintel",
    cls=LazyGroup,
    rich_markup_mode=None,  # or typer imports rich
    pretty_exceptions_enable=False,
    epilog="Every command takes --json (one JSON document on standard output) and --debug "
    "(a traceback with an error).",
)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Index code repositories, search them, and ask questions about them."""
    output: Output = ctx.obj
    if version:
        if output.json:
            output.document({"version": __version__})
        else:
            output.text(f"codeintel {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        if output.json:
            raise typer.BadParameter("no command is given")
        output.text(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    words, output = take_output_flags(arguments)
    try:
        code = get_command(app).main(words, "codeintel", standalone_mode=False, obj=output)
    except CodeIntelError as error:
        return _failed(output, error, exit_codes.exit_code_of(error))
    except typer.TyperException as error:
        return _failed(output, _usage_error(error), exit_codes.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        code = exit_codes.INTERRUPTED
    except Exception as error:
        return _failed(output, _internal_error(error), exit_codes.INTERNAL)
    if code == exit_codes.INTERRUPTED:
        return _failed(output, _InterruptedError("interrupted; the previous index is intact"), code)
    return int(code or exit_codes.DONE)


class _InterruptedError(CodeIntelError):
    """Stands for Ctrl-C."""

    code = "interrupted"


def _usage_error(error: typer.TyperException) -> CodeIntelError:
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "codeintel"
    message = " ".join(error.format_message().split())
    return InvalidArgument(message, hint=f"see {path} --help")


def _internal_error(error: Exception) -> CodeIntelError:
    told = CodeIntelError(f"{type(error).__name__}: {error}", hint="--debug shows where")
    told.__cause__ = error
    return told


def _failed(output: Output, error: CodeIntelError, code: int) -> int:
    if output.debug:
        import traceback

        traceback.print_exception(error.__cause__ or error)
    if output.json:
        from codeintel_rev.app.documents import error_document

        output.document(error_document(error))
    else:
        output.note(f"{error.message} ({error.hint})" if error.hint else error.message)
    return code
