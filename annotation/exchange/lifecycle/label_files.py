"""What imports of labels keep of a patient: lines of their reports, and files that wait for a word."""

from annotation.exchange.labels.models import LabelImport
from annotation.exchange.lifecycle.belongings import Belongings
from annotation.projects.models import Case

ERASED = "erased"


def forget_label_lines(found: Belongings) -> list[str]:
    """Take the patient's lines out of reports, and discard files that were not written yet.

    returns: names in the file store that are to be removed.
    """
    imports = list(LabelImport.objects.filter(project__in=found.project_ids))
    numbers = numbers_of(found)
    names = [one.file_name for one in imports if one.file_name]
    for one in imports:
        one.lines = [line for line in one.lines if (one.project_id, line[1]) not in numbers]
        if one.file_name:
            one.state, one.file_name, one.file_title = LabelImport.State.DISCARDED, "", ERASED
    fields = ["lines", "state", "file_name", "file_title"]
    LabelImport.objects.bulk_update(imports, fields, batch_size=100)
    return names


def numbers_of(found: Belongings) -> set[tuple[object, int]]:
    """Name the patient's cases as reports do: by project and number."""
    return set(Case.objects.filter(pk__in=found.cases.values("pk")).values_list("project_id", "number"))
