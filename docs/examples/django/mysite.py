"""A Django project in one file; its settings have nothing of greenpg in them."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "NAME": os.environ["PGDATABASE"],
        }
    },
)


def hello(request):
    return HttpResponse("hello")


def slow(request):
    with connection.cursor() as cursor:
        cursor.execute("select pg_sleep(0.3)")
    return HttpResponse("hello")


urlpatterns = [path("", hello), path("slow", slow)]
application = get_wsgi_application()
