"""The command line: `greenpg COMMAND`, also `python -m greenpg COMMAND`.

Its rule: names and options only. A command's own modules are imported when that command runs, and what the
user got wrong is one line on stderr and exit status 2, never a traceback.
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from greenpg import bench
from greenpg.demo import command as demo
from greenpg.doctor import command as doctor
from greenpg.run import command as run

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Parser(argparse.ArgumentParser):
    """argparse's parser, without the usage lines in front of an error."""

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse what a command does not know in its own name; argparse leaves that to the parser above."""
        options, unknown = super().parse_known_args(*args, **kwargs)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: the process's own arguments) names; return the exit status."""
    parser = _Parser(prog="greenpg", description="PostgreSQL in processes made of green threads.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    bench.add_to(commands)
    demo.add_to(commands)
    doctor.add_to(commands)
    run.add_to(commands)
    options = parser.parse_args(argv)
    try:
        status: int = options.run(options)
    except KeyboardInterrupt:
        return 130  # what a shell says of a process that Ctrl-C ended
    return status


if __name__ == "__main__":
    sys.exit(main())
