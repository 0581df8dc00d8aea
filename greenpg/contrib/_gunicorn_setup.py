"""What gunicorn's master process checks before it starts a worker, and before it forks one."""

from __future__ import annotations

from typing import Any, ClassVar

from gunicorn.errors import HaltServer

from greenpg.compat._drivers import activation, installed_drivers
from greenpg.compat._monkey import patched_for


class Checked:
    """What both workers have in common, to stand before gunicorn's own class."""

    RUNTIME: ClassVar[str]

    @classmethod
    def setup(cls) -> None:
        """Refuse what would go wrong in every worker.

        :raises RuntimeError: there is no driver, or the process waits in another runtime already; gunicorn
            shows this error in one line, and stops
        """
        if not installed_drivers():
            raise RuntimeError(
                'no driver is installed: pip install "greenpg[psycopg2]" or "greenpg[psycopg]"'
            )
        for other in (activation.runtime, *patched_for()):
            if other not in (None, cls.RUNTIME):
                raise RuntimeError(f"this process waits in {other}, a worker cannot in {cls.RUNTIME}")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Do that once more, still in the master process: `--preload` has imported the application since.

        :raises gunicorn.errors.HaltServer: as in `setup()`; from here on, this is what gunicorn shows in one
            line, and stops
        """
        try:
            self.setup()
        except RuntimeError as error:
            raise HaltServer(str(error)) from error
        super().__init__(*args, **kwargs)
