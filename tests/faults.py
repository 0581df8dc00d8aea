"""Real faults on a real network, for tests: a proxy in front of the server, and servers that are none.

Both run in a process of their own (`fault_process`), which ends with the `with` statement, or with us.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from psycopg2.extensions import make_dsn, parse_dsn

from tests import fault_process, hostile_protocol

if TYPE_CHECKING:
    from typing_extensions import Self

Direction = fault_process.Direction
Kind = Literal["dropped", "silent", "tls", "auth", "drip", "flood"]

STUCK_CONNECTS: tuple[Kind, ...] = ("dropped", "silent", "tls", "auth", "drip", "flood")
"""Every kind of `hostile` server: none of them ever lets a connect end."""


class FaultServer:
    """A listening process; a context manager."""

    host = fault_process.HOST
    port = 0
    dsn = ""
    """Connection string that leads to it."""
    program = fault_process.__file__
    """The script that the process runs."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._folder = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._asked = 0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", self.program, json.dumps(self._options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self.port = self._answer()
        self.dsn = f"host={self.host} port={self.port} user=postgres password=none dbname=postgres"
        return self

    def __exit__(self, *exc_info: object) -> None:
        process, self._process = self._process, None
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        process.wait()
        self._folder.close()

    def _ask(self, command: str, **arguments: object) -> Any:
        """Give a command; it has taken effect when this returns."""
        assert self._process is not None, "not running"
        assert self._process.stdin is not None
        self._asked += 1
        self._process.stdin.write(json.dumps([self._asked, command, arguments]).encode() + b"\n")
        self._process.stdin.flush()
        number = 0
        while number != self._asked:  # whoever asked before may have been interrupted
            number, result = self._answer()
        return result

    def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the fault process is gone; its standard error says why"
        return json.loads(line)


class FaultProxy(FaultServer):
    """A TCP proxy in front of a server; it passes everything on until it is told otherwise.

    :param dsn: the server behind it; `self.dsn` is the same by way of the proxy
    :param tls: offer TLS to the clients, with a certificate for 127.0.0.1 that `root_certificate` has signed.
        Faults then happen to the bytes in clear; for faults in TLS itself put a second proxy in front.

    Delays, drips, limits and black holes hold for every connection, also for later ones, until `heal()`.
    Directions: "up" is to the server, "down" to the client.
    """

    def __init__(self, dsn: str, *, tls: bool = False) -> None:
        parameters = parse_dsn(dsn)
        host, port = parameters.get("host") or "127.0.0.1", int(parameters.get("port") or 5432)
        target = [f"{host}/.s.PGSQL.{port}"] if host.startswith("/") else [host, port]
        super().__init__(kind="proxy", target=target, certificate=None)
        self._behind = dsn
        self._tls = tls
        self.root_certificate: Path | None = None

    def __enter__(self) -> Self:
        if self._tls:
            self._certify(Path(self._folder.enter_context(tempfile.TemporaryDirectory())))
        super().__enter__()
        self.dsn = make_dsn(self._behind, host=self.host, port=self.port)
        return self

    def heal(self) -> None:
        """Take every fault away; what a black hole held back is delivered."""
        self._ask("heal")

    def delay(self, seconds: float) -> None:
        """Hold every piece back for a time."""
        self._ask("delay", seconds=seconds)

    def drip(self, seconds: float = 0.0, size: int = 1) -> None:
        """Pass `size` bytes at a time, with a pause after each."""
        self._ask("drip", seconds=seconds, size=size)

    def black_hole(self, *directions: Direction) -> None:
        """Pass nothing more (by default both ways) and keep everything open."""
        self._ask("black_hole", directions=directions or ("up", "down"))

    def cut(self, *, reset: bool = False) -> None:
        """Close every connection, with a FIN or an RST to the client."""
        self._ask("cut", reset=reset)

    def cut_after(self, size: int, direction: Direction = "down", *, reset: bool = False) -> None:
        """Close a connection as soon as it has passed `size` bytes more."""
        self._ask("cut_after", size=size, direction=direction, reset=reset)

    def half_close(self, direction: Direction = "down") -> None:
        """End one direction of every connection; the other one goes on."""
        self._ask("half_close", direction=direction)

    @property
    def links(self) -> int:
        """How many connections are open."""
        links: int = self._ask("links")
        return links

    def _certify(self, folder: Path) -> None:
        import trustme

        authority = trustme.CA()
        certificate = folder / "server.pem"
        authority.issue_cert(self.host, "localhost").private_key_and_cert_chain_pem.write_to_path(certificate)
        self.root_certificate = folder / "root.pem"
        authority.cert_pem.write_to_path(self.root_certificate)
        self._options["certificate"] = str(certificate)


def hostile(kind: Kind) -> FaultServer:
    """Return a server that never lets a connect end: `with hostile("silent") as server: connect(server.dsn)`.

    :param kind: `dropped` does not answer the SYN; `silent` accepts and says nothing; `tls` agrees to TLS and
        does not shake hands; `auth` asks for SCRAM and does not go on; `drip` greets one byte every 50 ms,
        without end; `flood` sends parameters as fast as it can, without end
    """
    return FaultServer(kind=kind)


class HostileServer(FaultServer):
    """A server that breaks the protocol; `dsn` lacks the scenario, which is the database's name.

    See `hostile_protocol` for the scenarios.
    """

    program = hostile_protocol.__file__
