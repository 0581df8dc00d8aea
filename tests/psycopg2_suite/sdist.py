"""Fetch psycopg2's tests: the `tests` package in the source distribution of the version that is installed.

Its rule: they go to a cache folder that git ignores, and nothing else of that archive is kept.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import psycopg2

from greenpg.testing.server import ServerUnavailableError, find_programs


def installed_version() -> str:
    """Return the version of the psycopg2 that is installed, under whichever name."""
    version: str = psycopg2.__version__  # type: ignore[attr-defined]  # the stubs lack it
    return version.split()[0]


def fetch(version: str, cache: Path) -> Path:
    """Return the folder that holds psycopg2's `tests` package, fetched first if `cache` has it not.

    :raise RuntimeError: pip could not download it
    """
    suite = cache / f"psycopg2-{version}"
    if not suite.exists():
        cache.mkdir(parents=True, exist_ok=True)
        (cache / ".gitignore").write_text("*\n")
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            unpacked = Path(folder, "suite")
            _unpack_tests(_download(version, Path(folder)), unpacked)
            unpacked.rename(suite)  # in one step: what is in the cache is whole
    return suite


def _download(version: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "psycopg2"]
    command += ["--dest", str(folder), f"psycopg2=={version}"]
    done = subprocess.run(command, env=_with_pg_config(), capture_output=True, text=True, check=False)
    archives = list(folder.glob("psycopg2-*.tar.gz"))
    if not archives:
        raise RuntimeError(f"could not download psycopg2's sources; pip says:\n{done.stderr}")
    return archives[0]


def _with_pg_config() -> dict[str, str]:
    # pip asks the archive for its metadata, and psycopg2's setup.py looks for pg_config even for that.
    try:
        programs = find_programs(16)
    except ServerUnavailableError:
        return dict(os.environ)
    return {**os.environ, "PATH": f"{os.environ['PATH']}{os.pathsep}{programs}"}


def _unpack_tests(archive: Path, target: Path) -> None:
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)  # not before Python 3.10.12 and 3.11.4
        for member in tar.getmembers():
            _, *path = PurePosixPath(member.name).parts
            if path[:1] == ["tests"]:
                member.name = str(PurePosixPath(*path))
                tar.extract(member, target)
