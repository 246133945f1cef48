"""The ASGI entry point of the web process."""

import os

import django

from config.bodies import Limited
from config.handler import Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
django.setup(set_prefix=False)

application = Limited(Handler())
