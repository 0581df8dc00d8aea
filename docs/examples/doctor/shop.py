"""An application that makes a lock when it is imported."""

import threading

stock = threading.Lock()
