"""Becomes uWSGI, with the options given, on a port of its own; says on stderr at which URL."""

import os
import socket
import sys
from pathlib import Path

listener = socket.create_server(("127.0.0.1", 0))
listener.set_inheritable(True)
print("http://{}:{}".format(*listener.getsockname()), file=sys.stderr)
uwsgi = str(Path(sys.executable).with_name("uwsgi"))
os.execv(uwsgi, [uwsgi, "--http-socket", f"fd://{listener.fileno()}", *sys.argv[1:]])
