"""The child: `python -m tests.green RUNTIME [pytest arguments]` patches this process and runs pytest in it.

By hand it is the way to debug one test (`-s`, `--pdb`, `-k`). For `conftest` it also writes `reports`.
"""

from __future__ import annotations

import sys

from tests.green import runtimes


def main(runtime: str, *arguments: str) -> int:
    """Run pytest in the runtime and return its exit code."""
    runtimes.install(runtime)
    import pytest  # not before the process is patched

    from tests.green import reports

    # Other packages' plugins are not for a patched process: some import what does not survive it.
    own = [
        "--disable-plugin-autoload",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-o",
        "faulthandler_exit_on_timeout=true",
    ]
    return int(pytest.main([*own, *arguments], plugins=reports.writers()))


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in runtimes.RUNTIMES:
        sys.exit(f"usage: python -m tests.green {{{','.join(runtimes.RUNTIMES)}}} [pytest arguments]")
    sys.exit(main(*sys.argv[1:]))
