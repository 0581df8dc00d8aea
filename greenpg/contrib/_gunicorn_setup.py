"""What gunicorn's master process checks before it starts a worker."""

from __future__ import annotations

from greenpg.compat._drivers import activation, installed_drivers


def check(runtime: str) -> None:
    """Refuse what would go wrong in every worker.

    :raises RuntimeError: there is no driver, or the process waits in another runtime already; gunicorn shows
        this error in one line, and stops
    """
    if not installed_drivers():
        raise RuntimeError('no driver is installed: pip install "greenpg[psycopg2]" or "greenpg[psycopg]"')
    if activation.runtime not in (None, runtime):
        raise RuntimeError(f"this process waits in {activation.runtime}, a worker cannot in {runtime}")
