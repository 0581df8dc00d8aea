"""`greenpg bench`: the benchmarks of the checkout that greenpg is run from.

Its rule: they are not part of the package, for they are about this source and need every peer; what is
installed from elsewhere says where to find them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from argparse import _SubParsersAction
    from typing import Any

_ROOT = Path(__file__).parent.parent
_NO_OPTION = "\0"


def add_to(commands: _SubParsersAction[Any]) -> None:
    """Add the command `bench`; its options, `--help` too, are those of the benchmarks."""
    bench_command = commands.add_parser(
        "bench",
        help="measure greenpg and its peers side by side, from a checkout (greenpg bench --help)",
        prefix_chars=_NO_OPTION,
        add_help=False,
    )
    bench_command.add_argument("arguments", nargs="*")
    bench_command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the benchmarks; return their exit status, or 2 after one line on stderr if they are not there."""
    if not (_ROOT / "benchmarks" / "__main__.py").exists():
        print(
            "greenpg bench: error: the benchmarks come with the source alone: "
            "in a checkout of it, run make bench, or pip install -e '.[bench]' first",
            file=sys.stderr,
        )
        return 2
    sys.path.insert(0, str(_ROOT))
    status: int = import_module("benchmarks.__main__").main(options.arguments)
    return status
