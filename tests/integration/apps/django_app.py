"""A Django project in one file, on psycopg 3 where that is there; /pooled is for that one alone."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path

database = {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]}
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": database,
        "pooled": {**database, "OPTIONS": {"pool": {"min_size": 2, "max_size": 10}}},
    },
)


def hello(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def sleep(_request: HttpRequest, database: str = "default") -> HttpResponse:
    with connections[database].cursor() as cursor:
        cursor.execute("select 42 from pg_sleep(0.3)")
        ((answer,),) = cursor.fetchall()
    return HttpResponse(answer)


urlpatterns = [path("", hello), path("sleep", sleep), path("pooled", sleep, {"database": "pooled"})]
app = get_wsgi_application()
connections["default"]  # imports the driver, as most projects do while they are imported
