"""The JSON API: /api/v1."""

from ninja import NinjaAPI
from ninja.security import django_auth

api = NinjaAPI(title="Fovea", version="1", auth=django_auth, docs_url=None)
