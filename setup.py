"""Build the compiled binding where there is a compiler; without one greenpg works on ctypes.

Everything else is in `pyproject.toml`. Every `greenpg/pq/_*.pyx` becomes an extension module that may fail to
build, and the C it is translated to stays in `build/`. `GREENPG_ONLY=_rows` builds just that one.
"""

from __future__ import annotations

import os
from pathlib import Path

from setuptools import Extension, setup

FOLDER = "greenpg/pq"


def extensions() -> list[Extension]:
    """Return what to build: nothing where Cython is not."""
    try:
        from Cython.Build import cythonize
    except ImportError:
        return []
    only = os.environ.get("GREENPG_ONLY")
    names = sorted(path.stem for path in Path(__file__).parent.glob(f"{FOLDER}/_*.pyx"))
    wanted = [
        Extension(
            f"{FOLDER.replace('/', '.')}.{name}",
            [f"{FOLDER}/{name}.pyx"],
            libraries=["dl"] if os.name == "posix" else [],  # a part of libc since glibc 2.34
            extra_compile_args=["-O2"] if os.name == "posix" else [],
        )
        for name in names
        if only in (None, "", name)
    ]
    directives = {"language_level": 3, "boundscheck": False, "wraparound": False}
    made: list[Extension] = cythonize(wanted, build_dir="build/cython", compiler_directives=directives)
    for extension in made:
        extension.optional = True  # Cython passes on much, but not this
    return made


setup(ext_modules=extensions())
