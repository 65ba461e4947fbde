"""Download and unpack the packages of packages.txt whose declared licence is permissive.

    python -m training.fetch DEST [--every N]

Each package lands in ``DEST/<registry>/<name>``; ``DEST/licences.tsv`` lists what was kept and
what was dropped, with the licence it declares. What is listed there is not fetched again, unless it
could not be had; of a registry of which nothing can be had this ends with what to do. ``--every``
takes only each Nth package of the list.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

PACKAGES = Path(__file__).with_name("packages.txt")
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|Zlib|libpng|Boost|BSL-1|Unlicense|CC0|0BSD|PSF|Python Software"
    r"|HPND|Expat|ZPL|public[ -]domain|curl|X11|OpenSSL|PostgreSQL)",
    re.IGNORECASE,
)
NOT_FETCHED = "not fetched"
COPYLEFT = re.compile(r"\b[AL]?GPL|GNU|EUPL|CeCILL|SSPL|\bCC-BY-(NC|SA)", re.IGNORECASE)


HINTS = {
    "pypi": "let pip reach an index",
    "npm": "install npm and let it reach a registry",
    "deb": "run apt-get update on a Debian machine",
    "debsrc": "add deb-src to the types of apt's sources, run apt-get update",
}


def is_permissive(licence: str) -> bool:
    """Return whether a declared licence allows any use; anything mixed with copyleft does not."""
    return bool(PERMISSIVE.search(licence)) and not COPYLEFT.search(licence)


def call(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, timeout=600)


def fetch_pypi(name: str, folder: Path) -> str:
    call(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation",
         "--prefer-binary", name, cwd=folder)  # fmt: skip
    archive = next(path for path in folder.iterdir() if path.is_file())
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder / "x")
    else:
        with tarfile.open(archive) as file:
            file.extractall(folder / "x", filter="data")
    found = [*(folder / "x").glob("*.dist-info/METADATA"), *(folder / "x").glob("*/PKG-INFO")]
    lines = found[0].read_text("utf-8", "replace").split("\n\n", 1)[0].splitlines()
    declared = [line for line in lines if re.match(r"License(-Expression)?:|Classifier: Lic", line)]
    return " ".join(line.split(":", 1)[1].strip()[:60] for line in declared)


def fetch_npm(name: str, folder: Path) -> str:
    call("npm", "pack", "--silent", "--ignore-scripts", name, cwd=folder)
    with tarfile.open(next(folder.glob("*.tgz"))) as file:
        file.extractall(folder / "x", filter="data")
    manifest = next((folder / "x").glob("*/package.json"))
    return str(json.loads(manifest.read_text("utf-8")).get("license", ""))


def fetch_deb(name: str, folder: Path) -> str:
    call("apt-get", "download", "-q", name, cwd=folder)
    call("dpkg-deb", "-x", str(next(folder.glob("*.deb"))), "x", cwd=folder)
    return debian_licence(folder / f"x/usr/share/doc/{name}/copyright")


def fetch_debsrc(name: str, folder: Path) -> str:
    """Fetch a Debian source; needs a ``deb-src`` line among apt's sources."""
    call("apt-get", "source", "-q", "--download-only", name, cwd=folder)
    call("dpkg-source", "--no-check", "-x", str(next(folder.glob("*.dsc"))), "x", cwd=folder)
    return debian_licence(folder / "x/debian/copyright")


def debian_licence(path: Path) -> str:
    """Return the licence that a Debian copyright file gives for the upstream code as a whole."""
    text = path.read_text("utf-8", "replace") if path.exists() else ""
    stanza = re.search(r"^Files: *\*.*?^License: *(\S.*?)$", text, re.MULTILINE | re.DOTALL)
    return stanza.group(1) if stanza else ""


FETCHERS = {"pypi": fetch_pypi, "npm": fetch_npm, "deb": fetch_deb, "debsrc": fetch_debsrc}


def fetch(registry: str, name: str, destination: Path) -> str:
    """Fetch one package and return its declared licence, or why it could not be had."""
    shutil.rmtree(destination, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=destination.parents[2]) as scratch:
        folder = Path(scratch)
        try:
            licence = FETCHERS[registry](name, folder)
        except (subprocess.SubprocessError, OSError, StopIteration, IndexError) as error:
            return f"{NOT_FETCHED}: {type(error).__name__}"
        if is_permissive(licence):
            (folder / "x").rename(destination)
    return licence


def listed() -> list[tuple[str, str]]:
    """Return the registry and the name of every package in the list."""
    lines = PACKAGES.read_text("utf-8").splitlines()
    rows = (line.split(" ") for line in lines if line and not line.startswith("#"))
    return [(registry, name) for registry, name in rows]


def missing(log: Path) -> dict[str, tuple[int, int]]:
    """Return by registry how many packages could not be had, and of how many."""
    last: dict[tuple[str, str], bool] = {}
    for line in log.read_text("utf-8").splitlines():
        registry, name, _, licence = line.split("\t")
        last[registry, name] = licence.startswith(NOT_FETCHED)
    registries = Counter(registry for registry, _ in last)
    lacking = Counter(registry for (registry, _), is_missing in last.items() if is_missing)
    return {registry: (lacking[registry], count) for registry, count in registries.items()}


def check(log: Path) -> None:
    """Tell what could not be had; ends the program when that is all of a registry."""
    for registry, (lacking, count) in missing(log).items():
        if lacking:
            print(f"{registry}: {lacking} of {count} packages could not be had", flush=True)
        if lacking == count:
            sys.exit(f"nothing came from {registry}: {HINTS[registry]}, and run this again")


def settled(log: Path) -> set[tuple[str, str]]:
    """Return the registries and names of the packages that were kept or dropped before."""
    if not log.exists():
        return set()
    rows = [line.split("\t") for line in log.read_text("utf-8").splitlines()]
    return {(row[0], row[1]) for row in rows if not row[3].startswith(NOT_FETCHED)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", type=Path)
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    target: Path = options.target
    target.mkdir(parents=True, exist_ok=True)
    log_path = target / "licences.tsv"
    done = settled(log_path)
    with log_path.open("a", encoding="utf-8") as log:
        for registry, name in listed()[:: options.every]:
            if (registry, name) in done:
                continue
            destination = target / registry / name.replace("/", "+")
            destination.parent.mkdir(parents=True, exist_ok=True)
            licence = fetch(registry, name, destination)
            kept = "kept" if destination.exists() else "dropped"
            log.write(f"{registry}\t{name}\t{kept}\t{licence}\n")
            log.flush()
    check(log_path)


if __name__ == "__main__":
    main()
