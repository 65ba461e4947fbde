"""What parts of the program log, told as notes beside a command's result."""

from __future__ import annotations

import logging
import traceback

from codeintel_rev.cli.output import Output


class LogNotes(logging.Handler):
    """Tells each record on one line of standard error, as every note."""

    def __init__(self, output: Output, level: int = logging.WARNING) -> None:
        """Tell records of ``level`` and above."""
        super().__init__(level)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Tell one record."""
        if self._output.debug and record.exc_info:
            traceback.print_exception(record.exc_info[1])
        self._output.note(record.getMessage())


def tell_logs(output: Output) -> None:
    """Tell from now on what is logged and no other handler takes, as the log of a server does."""
    logging.lastResort = LogNotes(output)
