"""In which order hosts and addresses are tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from greenpg import pq
from greenpg._core.hosts import DEFAULTS, VARIABLES, Host, Plan, plan_for
from greenpg.conninfo import conninfo_to_dict

if TYPE_CHECKING:
    from pathlib import Path


def test_families_take_turns() -> None:
    plan = Plan("host=name")
    found = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"]
    assert plan.addresses(found) == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]


def test_addresses_in_random_order() -> None:
    found = [f"192.0.2.{number}" for number in range(9)]
    plan = Plan("host=name load_balance_hosts=random")
    orders = {tuple(plan.addresses(found)) for _ in range(20)}
    assert len(orders) > 1
    assert all(sorted(order) == found for order in orders)


@pytest.fixture
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_variables")
def test_a_plan_is_kept_until_it_would_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_for("host=name")
    assert plan_for("host=name") is plan
    assert plan_for("host=name", "secret") is not plan
    values = {"PGCONNECT_TIMEOUT": "7", "PGTARGETSESSIONATTRS": "primary", "PGLOADBALANCEHOSTS": "random"}
    for name in VARIABLES:
        if name != "PGSERVICE":
            before = plan_for("dbname=mine")
            monkeypatch.setenv(name, values.get(name, "1"))
            assert plan_for("dbname=mine").options != before.options, name
    assert plan_for("dbname=mine").seconds == 7


@pytest.mark.usefixtures("_no_variables")
def test_a_service_is_read_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services"
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    for port in ("11", "12"):
        file.write_text(f"[mine]\nhost=name\nport={port}\n")
        assert plan_for("service=mine").hosts() == [Host("name", port)]
        with monkeypatch.context() as patch:
            patch.setenv("PGSERVICE", "mine")
            assert plan_for("").hosts() == [Host("name", port)]


def test_the_variables_are_those_of_the_options_that_a_plan_looks_at() -> None:
    looked_at = {"host", "hostaddr", "port", "connect_timeout", "target_session_attrs", "load_balance_hosts"}
    options = pq.library().conninfo_defaults()
    variables = {option.keyword.decode(): option.envvar for option in options if option.envvar is not None}
    expected = {variables[name].decode() for name in {*looked_at, *DEFAULTS} & variables.keys()}
    assert {*VARIABLES} - {"PGSERVICE", "PGLOADBALANCEHOSTS"} == expected - {"PGLOADBALANCEHOSTS"}


@pytest.mark.parametrize("asked", ["disable", "prefer"])
@pytest.mark.usefixtures("_no_variables")
def test_kerberos_encrypts_for_who_asks_for_it(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def mode(conninfo: str) -> str:
        plan = Plan(conninfo)
        told = conninfo_to_dict(plan.conninfo(plan.hosts()[0], "", "any").decode())
        return str(told.get("gssencmode") or plan.options["gssencmode"])  # libpq knows it

    assert mode("host=name") == "disable"
    assert mode(f"host=name gssencmode={asked}") == asked
    monkeypatch.setenv("PGGSSENCMODE", asked)
    assert mode("host=name") == asked


def test_many_plans_are_not_kept_for_ever() -> None:
    plans = [plan_for(f"host=name{number}") for number in range(100)]
    assert plan_for("host=name0") is not plans[0]
