"""Routes below /api/dicomweb/projects/<project>/."""

from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import StringConverter

from accounts.scopes import Scope
from annotation.api.dicomweb import render, retrieve
from annotation.api.dicomweb.access import service
from annotation.api.dicomweb.search import search
from annotation.api.dicomweb.store import store
from annotation.api.http import nowhere


class UidConverter(StringConverter):
    """A DICOM UID (PS3.5 9.1)."""

    regex = r"[0-9.]{1,64}"


register_converter(UidConverter, "uid")
READ, WRITE = Scope.DICOMWEB_READ, Scope.DICOMWEB_WRITE
STUDY = "studies/<uid:study_uid>"
SERIES = f"{STUDY}/series/<uid:series_uid>"
INSTANCE = f"{SERIES}/instances/<uid:sop_uid>"
FRAMES = f"{INSTANCE}/frames/<str:numbers>"

files, described = (READ, retrieve.files), (READ, retrieve.describe)
pictures, small = (READ, render.instances), (READ, render.thumbnail)
urlpatterns: list[URLPattern] = [
    path("studies", service(get=search("studies"), post=(WRITE, store))),
    path("series", service(get=search("series"))),
    path("instances", service(get=search("instances"))),
    path(STUDY, service(get=files, post=(WRITE, store))),
    path(f"{STUDY}/series", service(get=search("series"))),
    path(f"{STUDY}/instances", service(get=search("instances"))),
    path(SERIES, service(get=files)),
    path(f"{SERIES}/instances", service(get=search("instances"))),
    path(INSTANCE, service(get=files)),
    *(path(f"{level}/metadata", service(get=described)) for level in (STUDY, SERIES, INSTANCE)),
    *(path(f"{level}/rendered", service(get=pictures)) for level in (STUDY, SERIES, INSTANCE)),
    *(path(f"{level}/thumbnail", service(get=small)) for level in (STUDY, SERIES, INSTANCE, FRAMES)),
    path(f"{FRAMES}/rendered", service(get=(READ, render.frames))),
    path(FRAMES, service(get=(READ, retrieve.frames))),
    path(f"{INSTANCE}/bulkdata/<path:path>", service(get=(READ, retrieve.bulk_data))),
    re_path("", nowhere),
]
