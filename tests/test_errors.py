"""The exceptions are those of PEP 249, found in the package."""

from __future__ import annotations

import pytest

import greenpg
from greenpg import errors

TREE = {
    "Warning": Exception,
    "Error": Exception,
    "InterfaceError": errors.Error,
    "DatabaseError": errors.Error,
    "DataError": errors.DatabaseError,
    "OperationalError": errors.DatabaseError,
    "IntegrityError": errors.DatabaseError,
    "InternalError": errors.DatabaseError,
    "ProgrammingError": errors.DatabaseError,
    "NotSupportedError": errors.DatabaseError,
}


@pytest.mark.parametrize("name", TREE)
def test_exception_stands_in_the_tree_of_pep_249(name: str) -> None:
    exception = getattr(greenpg, name)
    assert exception.__bases__ == (TREE[name],)
    assert exception.__module__ == "greenpg"
