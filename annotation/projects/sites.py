"""Where deliveries were made: a site is named for a delivery, and its series and cases carry the name."""

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from annotation.projects.models import Case, Project
from annotation.projects.services import record_act
from annotation.studies.acquisitions import Kind, acquisitions_of, series_first_in
from annotation.studies.models import Import, Series


def deliveries_of(project: Project) -> QuerySet[Import]:
    """List a project's deliveries, newest first; not scoped: callers have found the project for the user."""
    return Import.objects.filter(project_id=project.pk, dataset=project.dataset_id)


@transaction.atomic
def name_site(*, delivery: Import, site: str, by: User | None) -> None:
    """Say where the images of a delivery were made; what came with an earlier one keeps its site."""
    delivery.site = site
    delivery.save(update_fields=["site"])
    series = series_first_in(delivery)
    series.update(site=site)
    refresh_acquisitions(delivery, series)
    if delivery.project_id is not None:
        details = {"import": str(delivery.pk), "site": site}
        record_act("site.name", delivery.project_id, by=by, details=details)


def refresh_acquisitions(delivery: Import, series: QuerySet[Series]) -> None:
    """Bring the cases of some series to the acquisitions that their series tell of, kind by kind."""
    kinds = series.values(*Kind._fields).distinct()
    for kind in list(kinds):
        same = series.filter(**kind)
        one = same.values("pk")[:1]
        (acquisition,) = acquisitions_of(delivery.dataset_id, Series.objects.filter(pk__in=one)).values()
        Case.objects.filter(series__in=same.values("pk")).update(acquisition=acquisition)
