"""Settings of a Django project that keeps its connections for as long as it can."""

import os

SECRET_KEY = "no secret"
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PGDATABASE"],
        "OPTIONS": {"application_name": "django"},
        "CONN_MAX_AGE": None,
    },
}
