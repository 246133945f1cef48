"""What readers say of a gold case, held against what is known of it."""

from collections.abc import Mapping
from typing import Any

from annotation.projects.questions import Regions, Segmentation, questions_of
from annotation.projects.selectors import settings_in
from annotation.readings.disputes import disputed, given_in, limits_of
from annotation.readings.gold_models import GoldCase
from annotation.readings.models import Reading, ReferenceStandard
from annotation.readings.services import Examined


def differences(gold: GoldCase, examined: Examined, answers: Mapping[str, Any]) -> list[str]:
    """Name the questions on which answers differ from what is known, by the project's own limits."""
    protocol = examined.protocol
    questions, chosen = questions_of(protocol.questions), settings_in(protocol)
    known = given_in(questions, gold.answers, gold.measurements)
    said = given_in(questions, answers, examined.measurements)
    compared = {*gold.answers}
    if says_what_is_absent(gold, fuses_drawings=chosen.fuse_drawings):
        compared |= {one.key for one in questions if isinstance(one, Regions | Segmentation)}
    return disputed([one for one in questions if one.key in compared], [known, said], limits_of(chosen))


def says_what_is_absent(gold: GoldCase, *, fuses_drawings: bool) -> bool:
    """Whether there is nothing to draw where a gold case's answers have no drawing.

    Where several readers' drawings are not fused, their standard has none, whatever there is.
    """
    standard = ReferenceStandard.objects.filter(case=gold.case_id).first()
    if standard is None or standard.answers != gold.answers:
        return False
    if standard.provenance == ReferenceStandard.Provenance.ADJUDICATED:
        return True
    read = Reading.objects.filter(case=gold.case_id, reader__isnull=False)
    return (fuses_drawings or standard.readings == 1) and read.exists()
