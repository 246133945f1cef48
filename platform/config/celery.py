"""The Celery application: two lanes, one entry point a lane, and a sweep."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

app = Celery("fovea")
app.config_from_object("django.conf:settings", namespace="CELERY")
