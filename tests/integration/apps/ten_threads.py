"""A program of threads and psycopg2 that has never heard of green threads.

Prints how many answers the threads have got, and in how many seconds. With the argument `child`, a process
of its own does it.
"""

import subprocess
import sys
import time
from threading import Thread

import psycopg2

answers: list[object] = []


def ask() -> None:
    connection = psycopg2.connect("")
    with connection.cursor() as cursor:
        cursor.execute("select 42 from pg_sleep(0.3)")
        answers.append(cursor.fetchone())
    connection.close()


def main() -> None:
    threads = [Thread(target=ask) for _ in range(10)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(answers.count((42,)), time.monotonic() - began)


if __name__ == "__main__":
    if "child" in sys.argv:
        subprocess.run([sys.executable, "-m", "ten_threads"], check=True)
    else:
        main()
