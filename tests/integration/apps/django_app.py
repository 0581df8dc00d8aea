"""A Django project in one file, on psycopg2."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {"ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"]},
    },
)


def hello(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello")


def sleep(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("select 42 from pg_sleep(0.3)")
        ((answer,),) = cursor.fetchall()
    return HttpResponse(answer)


urlpatterns = [path("", hello), path("sleep", sleep)]
app = get_wsgi_application()
