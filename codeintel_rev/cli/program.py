"""The program: finds the command, runs it, and turns errors into messages and exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout, suppress
from importlib import import_module
from io import StringIO
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from codeintel_rev import __version__
from codeintel_rev.cli import endings, exit_codes
from codeintel_rev.cli.log_notes import tell_logs
from codeintel_rev.cli.options import EPILOG
from codeintel_rev.cli.output import Output, OutputLostError, take_output_flags
from codeintel_rev.cli.surprises import explained
from codeintel_rev.cli.usage import usage_error
from codeintel_rev.errors import CodeIntelError

COMMANDS: Final = (
    "index",
    "search",
    "related",
    "ask",
    "watch",
    "serve",
    "mcp",
    "install",
    "token",
    "status",
    "compact",
    "remove",
    "backup",
    "restore",
    "doctor",
    "traces",
    "eval",
    "eval-answers",
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
        command = get_command(import_module(f"codeintel_rev.cli.{cmd_name.replace('-', '_')}").app)
        command.name = cmd_name
        return command


app = typer.Typer(
    name="codeintel",
    cls=LazyGroup,
    rich_markup_mode=None,  # or typer imports rich
    pretty_exceptions_enable=False,
    epilog=EPILOG,
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


_ENDINGS: Final = {exit_codes.INTERRUPTED: "interrupted", exit_codes.TERMINATED: "terminated"}
_ENDED_SO: Final = (["watch"], ["serve"], ["mcp"])
"""Commands that go on until they are interrupted."""
_AFTER_ENDING: Final = "the index stands as it did before; the next run goes on"


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    words, output = take_output_flags(arguments)
    tell_logs(output)
    try:
        code = (_show_help if _asks_for_help(words) else _main)(words, output)
    except CodeIntelError as error:
        return _failed(output, error, exit_codes.exit_code_of(error))
    except typer.TyperException as error:
        return _failed(output, usage_error(error, words, COMMANDS), exit_codes.USAGE)
    except (KeyboardInterrupt, typer.Abort):
        code = exit_codes.INTERRUPTED
    except endings.Terminated:
        code = exit_codes.TERMINATED
    except Exception as error:
        code = endings.code_of_signal()
        if code is None:
            return _failed(output, *explained(error))
    if code in _ENDINGS:
        hint = "" if words[:1] in _ENDED_SO else _AFTER_ENDING
        return _failed(output, _InterruptedError(_ENDINGS[code], hint=hint), code)
    return int(code or exit_codes.DONE)


def _main(words: list[str], output: Output) -> Any:
    return get_command(app).main(words, "codeintel", standalone_mode=False, obj=output)


def _asks_for_help(words: Sequence[str]) -> bool:
    return "--help" in (words[: words.index("--")] if "--" in words else words)


def _show_help(words: list[str], output: Output) -> int:
    """Show a help page by the same ways as any other result."""
    page = StringIO()
    with redirect_stdout(page):
        code = _main(words, output)
    if output.json:
        output.document({"help": page.getvalue()})
    else:
        output.text(page.getvalue().rstrip("\n"))
    return int(code or exit_codes.DONE)


class _InterruptedError(CodeIntelError):
    """Stands for Ctrl-C and SIGTERM."""

    code = "interrupted"


def _failed(output: Output, error: CodeIntelError, code: int) -> int:
    if output.debug:
        import traceback

        traceback.print_exception(error.__cause__ or error)
    if output.json and not isinstance(error, OutputLostError):
        from codeintel_rev.app.documents import error_document

        with suppress(OutputLostError):
            output.document(error_document(error))
    else:
        output.note(f"{error.message} ({error.hint})" if error.hint else error.message)
    return code
