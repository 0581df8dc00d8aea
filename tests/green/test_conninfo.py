"""However the server is named, connecting goes as with plain psycopg2: conninfo, environment, mistakes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import psycopg2
import psycopg2.extras
import pytest
from psycopg2.extensions import connection, make_dsn, parse_dsn

from greenpg.testing.server import EmbeddedServer
from tests.green.connects import (
    REFUSED,
    error_of,
    hosts,
    nothing_left,
    outcome,
    outcome_of_plain,
    port_reached,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.green.runtimes import Runtime


@pytest.mark.parametrize("attrs", ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"])
@pytest.mark.parametrize("read_only", ["off", "on"])
def test_target_session_attrs_as_plain(
    runtime: Runtime, dsn: str, port: str, attrs: str, read_only: str
) -> None:
    pair = hosts(
        dsn,
        REFUSED,
        port,
        port,
        target_session_attrs=attrs,
        options=f"-c default_transaction_read_only={read_only}",
    )
    assert outcome(psycopg2.connect, pair) == outcome_of_plain(pair)


FORMS = {
    "as it is": "host=127.0.0.1 port={port} {who}",
    "a name": "host=localhost port={port} {who}",
    "a name in capitals": "host=LOCALHOST port={port} {who}",
    "two names": "host=localhost,127.0.0.1 port={port} {who}",
    "one port for two": "host=127.0.0.1,localhost port=1,{port} {who}",
    "name and address": "host=somewhere.invalid hostaddr=127.0.0.1 port={port} {who}",
    "names and addresses": "host=a.invalid,b.invalid hostaddr=127.0.0.2,127.0.0.1 port=1,{port} {who}",
    "an address for some": "host=a.invalid,localhost hostaddr=127.0.0.2, port=1,{port} {who}",
    "address alone": "hostaddr=127.0.0.1 port={port} {who}",
    "URI": "postgresql://{user}@localhost:{port}/{dbname}?application_name=a%20b&connect_timeout=3",
    "URI of two": "postgres://{user}@127.0.0.1:1,localhost:{port}/{dbname}",
    "socket": "host={socket} port={port} {who}",
    "socket after a name": "host=localhost,{socket} port=1,{port} {who}",
    "password": "host=localhost port={port} {who} password='se cret'",
    "quotes": "host='localhost' port={port} {who} application_name='it\\'s \\\\ here'",
    "timeout": "host=localhost port={port} {who} connect_timeout=10",
    "timeout of none": "host=localhost port={port} {who} connect_timeout=0",
    "timeout below none": "host=localhost port={port} {who} connect_timeout=-1",
    "options": "host=localhost port={port} {who} options='-c work_mem=1MB'",
    "empty host": "host='' hostaddr=127.0.0.1 port={port} {who}",
}


@pytest.fixture
def parts(dsn: str, port: str) -> dict[str, str]:
    """What the `FORMS` are made of."""
    parameters = parse_dsn(dsn)
    conn: Any = psycopg2.connect(dsn)
    with conn.cursor() as cursor:
        cursor.execute("show unix_socket_directories")
        socket = cursor.fetchone()[0].split(",")[0]
    conn.close()
    who = f"user={parameters['user']} dbname={parameters['dbname']}"
    return {**parameters, "who": who, "socket": socket, "port": port}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_dsn_as_plain(runtime: Runtime, parts: dict[str, str], form: str) -> None:
    dsn = FORMS[form].format(**parts)
    expected = outcome_of_plain(dsn)
    assert outcome(psycopg2.connect, dsn) == expected
    assert "error" not in expected
    assert "cret" not in repr(expected["parameters"])


def test_keyword_arguments(runtime: Runtime, parts: dict[str, str]) -> None:
    keywords: dict[str, Any] = {
        "host": "localhost",
        "port": parts["port"],
        "user": parts["user"],
        "database": parts["dbname"],
    }
    conn = psycopg2.connect(**keywords, password="secret", connect_timeout=3)
    assert "secret" not in conn.dsn
    assert parse_dsn(conn.dsn)["host"] == "localhost"
    assert "hostaddr" not in parse_dsn(conn.dsn)
    conn.close()


@pytest.mark.parametrize("given", ["", "port={port}", "service=ours", "service=ours host=127.0.0.1"])
@pytest.mark.parametrize("service", ["", "ours"])
def test_environment_and_services_as_plain(
    runtime: Runtime,
    parts: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    given: str,
    service: str,
) -> None:
    (tmp_path / "services").write_text("[ours]\nhost=no.invalid,localhost\nport=1,{port}\n".format(**parts))
    for name, value in {
        "PGHOST": "localhost",
        "PGPORT": parts["port"],
        "PGUSER": parts["user"],
        "PGDATABASE": parts["dbname"],
        "PGCONNECT_TIMEOUT": "5",
        "PGSERVICEFILE": str(tmp_path / "services"),
        **({"PGSERVICE": service} if service else {}),
    }.items():
        monkeypatch.setenv(name, value)
    dsn = given.format(**parts) or "application_name=x"
    assert outcome(psycopg2.connect, dsn) == outcome_of_plain(dsn)


def test_environment_that_is_not_utf_8(
    runtime: Runtime, parts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGAPPNAME", "caf\udce9")  # as a Latin-1 terminal has it
    assert port_reached(FORMS["a name"].format(**parts)) == parts["port"]


MISTAKES = {
    "refused": "host=127.0.0.1 port=1",
    "refused by two": "host=127.0.0.1,127.0.0.1 port=1,2",
    "refused by a name": "host=localhost port=1",
    "no socket": "host=/nowhere port=1",
    "no such name": "host=no.invalid",
    "no such names": "host=no.invalid,none.invalid",
    "no such name, then refused": "host=no.invalid,127.0.0.1 port=1",
    "a label that is too long": f"host={'a' * 64}.invalid",
    "an empty label": "host=a..invalid",
    "not in ascii": "host=ünï.invalid",
    "ports and hosts": "host=a,b port=1,2,3",
    "hosts and addresses": "host=a hostaddr=127.0.0.1,127.0.0.2",
    "no address": "hostaddr=nonsense",
    "port 0": "host=127.0.0.1 port=0",
    "port x": "host=127.0.0.1 port=x",
    "sslmode": "host=127.0.0.1 port=1 sslmode=maybe",
    "session attributes": "host=127.0.0.1 port=1 target_session_attrs=nice",
    "load balancing": "host=127.0.0.1 port=1 load_balance_hosts=maybe",
    "no such service": "service=nothing",
    "no conninfo": "nonsense",
    "no such option": "host=127.0.0.1 nonsense=1",
    "no URI": "postgresql://[::1",
    "no such database": "host=127.0.0.1 port={port} user={user} dbname=nothing",
    "no such user": "host=127.0.0.1 port={port} user=nobody dbname={dbname}",
    "no such user by name": "host=localhost port={port} user=nobody dbname={dbname}",
    "no such database, twice": "host=127.0.0.1,127.0.0.1 port={port},{port} user={user} dbname=nothing",
    "no such user, twice by name": "host=localhost,localhost port={port},{port} user=nobody dbname=x",
    "no TLS": "host=127.0.0.1 port={port} user={user} sslmode=require",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_as_plain(runtime: Runtime, parts: dict[str, str], mistake: str) -> None:
    dsn = MISTAKES[mistake].format(**parts)
    with nothing_left():
        expected = outcome_of_plain(dsn)
        assert outcome(psycopg2.connect, dsn) == expected
        if "//" not in dsn:
            assert outcome(psycopg2.connect, f"{dsn} connect_timeout=5") == expected
    assert "error" in expected


@pytest.mark.parametrize("timeout", ["x", "1.5", "''"])
def test_bad_timeout(runtime: Runtime, dsn: str, timeout: str) -> None:
    if timeout == "''":
        psycopg2.connect(f"{dsn} connect_timeout=''").close()
        return
    error = error_of(f"{dsn} connect_timeout={timeout}")
    assert type(error) is psycopg2.OperationalError
    assert f'invalid integer value "{timeout}" for connection option "connect_timeout"' in str(error)


@pytest.mark.parametrize("given", [b"host=127.0.0.1", 7])
def test_no_text(runtime: Runtime, given: Any) -> None:
    with pytest.raises(TypeError):
        psycopg2.connect(given)


@pytest.mark.runtimes("gevent")
def test_passwords(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with EmbeddedServer(password="right") as server:
        by_name = make_dsn(server.dsn, host="localhost", password="")
        wrong = make_dsn(by_name, password="wrong")
        twice = make_dsn(wrong, host="localhost,127.0.0.1", port=f"{server.port},{server.port}")
        monkeypatch.setenv("PGPASSFILE", "/dev/null")
        for dsn in (by_name, wrong, twice):
            expected = outcome_of_plain(dsn)
            assert outcome(psycopg2.connect, dsn) == expected
            assert str(expected["error"][1]).count("FATAL") < 2  # the second host is not asked
        (tmp_path / "passwords").write_text(f"127.0.0.1:*:*:*:wrong\nlocalhost:{server.port}:*:*:right\n")
        (tmp_path / "passwords").chmod(0o600)
        monkeypatch.setenv("PGPASSFILE", str(tmp_path / "passwords"))
        expected = outcome_of_plain(by_name)
        assert outcome(psycopg2.connect, by_name) == expected
        assert "error" not in expected


class Own(connection):
    """As applications write them."""

    def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
        self.given = dsn
        super().__init__(dsn, *args, **kwargs)


FACTORIES: dict[str, Any] = {
    "class": Own,
    "function": lambda dsn: Own(dsn),
    "partial": functools.partial(Own),
    "psycopg2's": connection,
    "logging": psycopg2.extras.LoggingConnection,
    "function of psycopg2's": lambda dsn: connection(dsn),
}


@pytest.mark.parametrize("kind", FACTORIES)
def test_factories(runtime: Runtime, dsn: str, parts: dict[str, str], kind: str) -> None:
    by_name = FORMS["a name"].format(**parts)
    conn = psycopg2.connect(by_name, connection_factory=FACTORIES[kind])
    assert getattr(conn, "given", by_name) == by_name or not isinstance(FACTORIES[kind], type)
    assert conn.info.host == "localhost"
    conn.close()


def test_a_class_that_adds_to_the_conninfo(runtime: Runtime, dsn: str) -> None:
    class Adding(connection):
        def __init__(self, dsn: str, *args: Any, **kwargs: Any) -> None:
            super().__init__(make_dsn(dsn, application_name="added"), *args, **kwargs)

    conn = psycopg2.connect(dsn, connection_factory=Adding)
    try:
        assert conn.info.parameter_status("application_name") == "added"
    finally:
        conn.close()
