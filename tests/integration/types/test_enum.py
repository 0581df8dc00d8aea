"""Enums: members there and back once registered, strings otherwise."""

from __future__ import annotations

from enum import Enum, Flag, IntEnum
from typing import TYPE_CHECKING

import pytest

from greenpg.adapt import PyFormat, Transformer
from greenpg.errors import DataError
from greenpg.types.enum import EnumInfo, register_enum
from tests.roundtrip import FORMATS_OUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.roundtrip import RoundTrip


class Mood(Enum):
    """Members by name, and one whose label cannot be a name."""

    sad = 1
    ok = 2
    tres_bien = 3


class Level(IntEnum):
    """An enum of integers."""

    low = 1


class Color(str, Enum):
    """An enum of strings."""

    red = "r"


class Access(Flag):
    """An enum whose members can be joined."""

    READ = 1
    WRITE = 2


@pytest.fixture
def moods(trip: RoundTrip) -> Iterator[RoundTrip]:
    """A connection with an enum type."""
    trip.command("create type mood as enum ('sad', 'ok', 'tr\u00e8s ''bien')")
    yield trip
    trip.command("drop type mood")


@pytest.fixture
def info(moods: RoundTrip) -> EnumInfo:
    """What `EnumInfo.fetch` finds of it."""
    found = EnumInfo._from_rows("mood", moods.rows(*EnumInfo._query("mood")))
    assert found is not None
    return found


def test_registered(moods: RoundTrip, info: EnumInfo) -> None:
    assert info.labels == ["sad", "ok", "tr\u00e8s 'bien"]
    register_enum(info, moods.adapters, Mood, mapping={Mood.tres_bien: "tr\u00e8s 'bien"})
    assert info.enum is Mood
    for member in Mood:
        assert all(way is member for way in moods.all_ways(member, "mood"))
    assert all(way == list(Mood) for way in moods.all_ways(list(Mood), "mood[]"))
    assert moods.select("select pg_typeof($1)::text", [Mood.ok]) == "mood"


def test_without_an_enum_one_is_made(moods: RoundTrip, info: EnumInfo) -> None:
    register_enum(info, moods.adapters)
    assert info.enum is not None
    assert [member.name for member in info.enum] == info.labels
    for member in info.enum:
        assert all(way is member for way in moods.all_ways(member, "mood"))


def test_what_is_not_registered_is_refused(moods: RoundTrip, info: EnumInfo) -> None:
    register_enum(info, moods.adapters, Mood)
    for out in FORMATS_OUT:
        with pytest.raises(DataError, match=r"no member is registered for the label .*bien"):
            moods.select("select 'tr\u00e8s ''bien'::mood", fmt_out=out)
    for form in PyFormat:
        with pytest.raises(DataError, match=r"no label of the enum mood is registered for .*tres_bien"):
            moods.select("select $1", [Mood.tres_bien], form)


def test_an_enum_of_no_type_goes_as_its_names(moods: RoundTrip) -> None:
    assert moods.select("select $1::mood::text", [Mood.sad]) == "sad"
    assert moods.select("select $1::mood[]::text", [[Mood.sad, None]]) == "{sad,NULL}"
    assert all(way == "ok" for way in moods.all_ways(Mood.ok, "text"))
    assert all(way == 1 for way in moods.all_ways(Level.low, "int4"))
    assert all(way == "r" for way in moods.all_ways(Color.red, "text"))
    assert Transformer().dump_sequence([Access.READ], [PyFormat.TEXT]) == [b"READ"]
    with pytest.raises(DataError, match="has no name"):
        Transformer().dump_sequence([Access(0)], [PyFormat.AUTO])
