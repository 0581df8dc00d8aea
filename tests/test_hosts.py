"""In which order hosts and addresses are tried."""

from __future__ import annotations

from greenpg._core.hosts import Plan


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
