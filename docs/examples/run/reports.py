"""Ten threads, each with a slow query; not a word of greenpg in it."""

import threading

import psycopg2

at_work = most = 0


def report():
    global at_work, most
    at_work += 1
    most = max(most, at_work)
    connection = psycopg2.connect("")
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.1)")
    connection.close()
    at_work -= 1


threads = [threading.Thread(target=report) for _ in range(10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"{len(threads)} reports, {most} at the same time")
