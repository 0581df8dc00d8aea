"""The embedded server, made fit for psycopg2's replication tests.

Its rule: what the embedded server lacks is built here, or the run ends with a clear error; no test is lost
in silence.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from greenpg.testing.server import EmbeddedServer, find_programs

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {"wal_level": "logical", "max_prepared_transactions": 20}


@contextlib.contextmanager
def embedded(version: int) -> Iterator[str]:
    """Run an embedded server with logical decoding and two-phase commit; yield its DSN.

    :param version: 16 or 18
    :raise RuntimeError: the output plugin could not be built
    """
    with tempfile.TemporaryDirectory(prefix="greenpg-output-plugin-") as folder:
        Path(folder).chmod(0o755)  # for the server, which may run as another user
        _build_output_plugin(version, Path(folder, "test_decoding.so"))
        settings = {**SETTINGS, "dynamic_library_path": f"$libdir:{folder}"}
        with EmbeddedServer(version, settings) as server:
            yield server.dsn


def _build_output_plugin(version: int, library: Path) -> None:
    headers = find_programs(version).parent / "include" / "postgresql" / "server"
    source = Path(__file__).with_name("output_plugin.c")
    command = ["cc", "-shared", "-fPIC", "-O1", "-I", str(headers), str(source), "-o", str(library)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise RuntimeError("psycopg2's replication tests need a C compiler; install one") from error
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"could not build the output plugin:\n{error.stderr}") from error
