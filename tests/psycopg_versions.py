"""The psycopgs that are tested, and where they are: `python -m tests.psycopg_versions` installs them.

Each but the installed one has a folder of its own in the virtual environment, for child processes only. The
oldest are tested without their compiled part, which is not there for every Python; `tests/findable_libpq`
shows them a libpq.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import libraries
from tests.fresh import ROOT

PACKAGES = {
    "3.2.0": ("psycopg==3.2.0", "psycopg-pool==3.2.0"),
    "3.2": ("psycopg==3.2.*", "psycopg-binary==3.2.*", "psycopg-pool==3.2.*"),
    "3.3.0": ("psycopg==3.3.0", "psycopg-pool==3.3.0"),
}


@dataclass(frozen=True)
class Psycopg:
    """A version of psycopg, in C or in Python."""

    version: str
    """A key of `PACKAGES`, or `installed`."""
    impl: str
    """What $PSYCOPG_IMPL may be: `binary` or `python`."""

    @property
    def folder(self) -> Path | None:
        """Where it is; the installed one is nowhere in particular."""
        return None if self.version == "installed" else folder(self.version)

    @property
    def missing(self) -> str | None:
        """Why it cannot be tested here."""
        if self.folder is not None and not self.folder.is_dir():
            return f"psycopg {self.version} is not there: python -m tests.psycopg_versions"
        if self.impl == "python" and libraries.PSYCOPG_LIBPQ is None:
            return "psycopg in Python needs a libpq: pip install psycopg-binary"
        return None

    @property
    def folders(self) -> list[Path]:
        """What a child process imports from before all else."""
        return [ROOT / "tests" / "findable_libpq", *([self.folder] if self.folder else [])]

    @property
    def variables(self) -> dict[str, str]:
        """What else is in the environment of a child process."""
        return {"PSYCOPG_IMPL": self.impl, "GREENPG_TEST_LIBPQ": libraries.PSYCOPG_LIBPQ or ""}

    def __str__(self) -> str:
        return f"{self.version}-{self.impl}"


NEWEST = [Psycopg(version, impl) for version in ("3.2", "installed") for impl in ("binary", "python")]
OLDEST = [Psycopg(version, "python") for version in ("3.2.0", "3.3.0")]


def folder(version: str) -> Path:
    """Return where a version is, or is to be."""
    return Path(sys.prefix) / f"psycopg-{version}"


def install() -> None:
    """Install all of them, without dependencies: those would stand in front of our own."""
    for version, packages in PACKAGES.items():
        target = folder(version)
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run([*pip, "--no-deps", "--upgrade", "--target", str(target), *packages], check=True)


if __name__ == "__main__":
    install()
