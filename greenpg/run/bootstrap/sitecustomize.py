"""Python imports this by itself at its start, since `greenpg run` puts this folder into PYTHONPATH.

Its rule: it breaks no Python that finds it, with greenpg or without, of whatever version: nothing here is
newer than Python 2.7.
"""

import os
import sys


def start():
    # type: () -> None
    """Make this process green if $GREENPG_RUN says so.

    Where that cannot be, the command itself ends with status 2, for to be green is what it was started for;
    what it starts in turn goes on as it is. Either says why in one line.
    """
    runtime = os.environ.get("GREENPG_RUN")
    if not runtime:
        return
    try:
        from greenpg.run.startup import make_green

        make_green(runtime)
    except Exception as exc:
        is_command = os.environ.get("GREENPG_RUN_PID") == str(os.getpid())
        level = "error" if is_command else "warning"
        line = " ".join(("greenpg run:", level + ":", sys.executable, "is not green:", str(exc)))
        if sys.stderr:
            sys.stderr.write(" ".join(line.split()) + "\n")
            sys.stderr.flush()
        if is_command:
            os._exit(2)  # SystemExit would be a fatal error of the interpreter here


def give_way():
    # type: () -> None
    """Import the sitecustomize that this one stands in front of, if there is one."""
    ours, path = sys.modules.pop(__name__), list(sys.path)
    folder = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in path if os.path.abspath(entry) != folder]
    try:
        __import__(__name__)
    except ImportError as exc:
        if getattr(exc, "name", __name__) != __name__:
            raise
        sys.modules[__name__] = ours
    finally:
        sys.path[:] = path  # as it was: a child may be given a PYTHONPATH that is made of it


start()
give_way()
