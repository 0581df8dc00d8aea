"""Celery's settings, as the test has them that has started this worker."""

import json
import os

globals().update(json.loads(os.environ["CELERY_SETTINGS"]))
