"""What of a project a person may find over DICOMweb.

A reader: the series that are cases of the project. ML staff and administrators: also what was derived from
other images (segmentations, doses), which would tell a reader what others found. Never a series that another
project alone reads.
"""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from accounts.models import Role, User
from annotation.projects.models import Case, Membership
from annotation.projects.selectors import projects_for
from annotation.studies.models import Instance, Series

ADMIN = "admin"


@dataclass(frozen=True)
class Scope:
    """A project as one person sees it."""

    project_id: UUID
    dataset_id: UUID
    role: str

    @property
    def sees_derived(self) -> bool:
        """Whether series that are no case are there too."""
        return self.role != Role.READER

    def holds(self, series: str) -> Q:
        """Say whether a series is there; series: the name of its key in the query that asks."""
        cases = Case.objects.filter(series=OuterRef(series))
        own = Q(Exists(cases.filter(project=self.project_id)))
        return own | ~Q(Exists(cases)) if self.sees_derived else own

    def series(self) -> QuerySet[Series]:
        """Every series that is there."""
        return Series.objects.filter(self.holds("pk"), study__dataset=self.dataset_id)

    def instances(self) -> QuerySet[Instance]:
        """Every instance that is there."""
        return Instance.objects.filter(self.holds("series_id"), dataset=self.dataset_id)

    def instances_of(self, study_uid: str, series_uid: str = "") -> QuerySet[Instance]:
        """Every instance of a study, or of a series of it; found from above, not among all there are."""
        series = self.series().filter(study__study_instance_uid=study_uid)
        if series_uid:
            series = series.filter(series_instance_uid=series_uid)
        return Instance.objects.filter(series__in=series.values("pk"))


def scope_of(user: User, project_id: UUID) -> Scope:
    """Stand in a project, in one query: it is asked for every frame.

    raises: Project.DoesNotExist where the person is no member.
    """
    role = Membership.objects.filter(user=user, project=OuterRef("pk")).values("role")[:1]
    project = projects_for(user).annotate(role=Subquery(role)).only("dataset_id").get(pk=project_id)
    return Scope(project.pk, project.dataset_id, project.role or ADMIN)
