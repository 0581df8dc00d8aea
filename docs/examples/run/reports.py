"""Ten threads, each with a slow query; not a word of greenpg in it."""

import threading

import psycopg2

at_work = most = 0


def report():
    global at_work, most
    connection = psycopg2.connect("")
    at_work += 1
    most = max(most, at_work)
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.1)")
    at_work -= 1
    connection.close()


threads = [threading.Thread(target=report) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(threads)} reports, {most} at the same time")
