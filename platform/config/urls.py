"""Every route of the web process."""

from annotation.api.http import api
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("", include("annotation.api.pages.urls")),
]
