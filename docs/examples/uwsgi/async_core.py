"""The application of app.py for uWSGI's own async core."""

from app import application

import greenpg.uwsgi

greenpg.uwsgi.patch()

application = greenpg.uwsgi.green(application)
