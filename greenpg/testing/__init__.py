"""The test kit: what greenpg holds its own parts to, for those who add to it or build on it.

Names only. Nothing here needs a test framework: what is wrong is an `AssertionError`.
"""

from greenpg.testing.contract import AsyncRuntime as AsyncRuntime
from greenpg.testing.contract import Runtime as Runtime
from greenpg.testing.contract import check_async_wait_callback as check_async_wait_callback
from greenpg.testing.contract import check_wait_callback as check_wait_callback
from greenpg.testing.gate import Gate as Gate
from greenpg.testing.runtimes import Asyncio as Asyncio
from greenpg.testing.runtimes import Eventlet as Eventlet
from greenpg.testing.runtimes import Gevent as Gevent
from greenpg.testing.runtimes import NativeThreads as NativeThreads
from greenpg.testing.runtimes import Trio as Trio
