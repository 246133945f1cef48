"""Every route of the web process."""

from django.urls import URLPattern, URLResolver, include, path

from annotation.api.http import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", api.urls),
    path("api/dicomweb/projects/<uuid:project_id>/", include("annotation.api.dicomweb.urls")),
    path("", include("annotation.api.pages.urls")),
]
