"""The ASGI entry point of the web process."""

import os

from django.core.asgi import get_asgi_application

from config.bodies import Limited

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")

application = Limited(get_asgi_application())
