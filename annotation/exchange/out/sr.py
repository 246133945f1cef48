"""DICOM SR after TID 1500: one report a reader and case, read back through highdicom and compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from highdicom.sr import (
    CodedConcept,
    ComprehensiveSR,
    CoordinatesForMeasurement,
    FindingSite,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TrackingIdentifier,
)
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from annotation.exchange.out.archive import Archive, Report
from annotation.exchange.out.coding import coded, listed, measure_of, own, unit_of
from annotation.exchange.out.drawn import CLOSED, Drawing, drawings_in, outline
from annotation.exchange.out.frozen import Frozen, FrozenCase, Progress, Said
from annotation.exchange.out.rules import LeftOutError, uid_of
from annotation.exchange.out.sources import (
    MANUFACTURER,
    creator_of,
    export_readings,
    file_of,
    pseudonyms_allowed,
    sources_of,
)
from annotation.exchange.out.sr_check import Expected, check_report
from annotation.projects.answers import is_empty
from annotation.projects.questions import Computed, Number, OneOf, Question, Segmentation, SomeOf

Group = PlanarROIMeasurementsAndQualitativeEvaluations | MeasurementsAndQualitativeEvaluations
SERIES_NUMBER: Final = 9002
STATISTICS: Final = ("mean", "deviation", "min", "max")
SIGNAL: Final[Mapping[str, str]] = {"CT": "attenuation", "MR": "mr_signal"}


@dataclass(frozen=True)
class Names:
    """What makes UIDs in a report: the snapshot, the case and the reader."""

    digest: str
    case: str
    reader: str

    def uid(self, *parts: object) -> str:
        """Make a UID of these and what it names."""
        return uid_of(self.digest, "sr", self.case, self.reader, *parts)


def export_sr(frozen: Frozen, archive: Archive, report: Report, progress: Progress) -> None:
    """Write each reader's newest answers as a measurement report; free words stay in the tables.

    raises: DifferenceError.
    """

    def files(case: FrozenCase, said: Said) -> Iterator[tuple[str, bytes]]:
        yield f"{case.name}/{said.reader}.dcm", written(frozen, case, said)

    export_readings(frozen, archive, report, progress, files, what="reports")


def written(frozen: Frozen, case: FrozenCase, said: Said) -> bytes:
    """Write a report, read back and compared.

    raises: DifferenceError, LeftOutError where nothing of the answers can be said in a report.
    """
    names = Names(frozen.digest, str(case.line["case"]), said.reader)
    drawings = list(drawings_in(case, said))
    groups = [*of_answers(case, said, names), *(of_drawing(case, said, one, names) for one in drawings)]
    if not groups:
        raise LeftOutError("a reader answered in free words alone: they are in the tables")
    uids = [one.picture.sop_instance_uid for one in drawings] or [case.pictures[0].sop_instance_uid]
    evidence = sources_of(case, uids)
    made = report_of(evidence, groups, said, names)
    content = file_of(made, said)
    check_report(case, content, [drawn_as(one, said, names) for one in drawings], evidence)
    return content


def drawn_as(one: Drawing, said: Said, names: Names) -> Expected:
    """Say what a region must be read back as."""
    is_region = one.question.kind in CLOSED or one.question.kind == "point"
    graphics = [graphic_of(one)[1]] if is_region else lines_of(one)
    measured = said.measurements.get(one.region.id, {})
    lengths = [float(value) for name, value in measured.items() if measure_of(name) is not None]
    return Expected(
        names.uid(one.region.id), one.picture.sop_instance_uid, graphics, lengths, is_region=is_region
    )


def report_of(evidence: list[Dataset], groups: list[Group], said: Said, names: Names) -> ComprehensiveSR:
    """Put groups of measurements into one document."""
    person = PersonObserverIdentifyingAttributes(name=creator_of(said))
    observer = ObserverContext(codes.DCM.Person, person)
    report = MeasurementReport(
        observation_context=ObservationContext(observer_person_context=observer),
        procedure_reported=own("reading", "Reading of images"),
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    with pseudonyms_allowed():
        return ComprehensiveSR(
            evidence=evidence,
            content=report[0],
            series_instance_uid=names.uid("series"),
            series_number=SERIES_NUMBER,
            sop_instance_uid=names.uid("report"),
            instance_number=1,
            manufacturer=MANUFACTURER,
            is_complete=True,
            series_description="Fovea: answers and measurements",
        )


def of_answers(case: FrozenCase, said: Said, names: Names) -> Iterator[Group]:
    """Give one group for what was said of the whole case: choices as evaluations, numbers as measurements."""
    evaluations = list(evaluations_of(said.questions, said.answers))
    measurements = list(numbers_of(said.questions, said.answers))
    measurements += computed_of(said)
    if evaluations or measurements:
        first = case.instances[case.pictures[0].sop_instance_uid]
        source = SourceImageForMeasurementGroup(first["sop_class_uid"], first["sop_instance_uid"])
        yield MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(names.uid("case"), "case"),
            measurements=measurements or None,
            qualitative_evaluations=evaluations or None,
            source_images=[source],
        )


def evaluations_of(
    questions: Sequence[Question], answers: Mapping[str, Any]
) -> Iterator[QualitativeEvaluation]:
    """Code every choice that stands for the whole case."""
    for question in questions:
        answer = answers.get(question.key)
        if not isinstance(question, OneOf | SomeOf) or is_empty(answer) or question.scope == "image":
            continue
        words = {one.value: one.label for one in question.choices}
        for value in map(str, answer if isinstance(answer, list) else [answer]):
            name = own(question.key, question.prompt)
            yield QualitativeEvaluation(name=name, value=coded(value, words.get(value, value)))


def numbers_of(questions: Sequence[Question], answers: Mapping[str, Any]) -> Iterator[Measurement]:
    """Code every number that stands for the whole case."""
    for question in questions:
        answer = answers.get(question.key)
        if isinstance(question, Number) and isinstance(answer, int | float) and question.scope == "case":
            yield Measurement(own(question.key, question.prompt), ds(float(answer)), unit_of(question.unit))


def computed_of(said: Said) -> list[Measurement]:
    """Code computed values, and the areas and volumes of masks."""
    found = []
    for question in said.questions:
        value = said.measurements.get(question.key)
        if isinstance(question, Computed) and isinstance(value, int | float):
            found.append(
                Measurement(own(question.key, question.prompt), ds(float(value)), unit_of(question.unit))
            )
        elif isinstance(question, Segmentation) and isinstance(value, Mapping):
            words = {one.value: one.label for one in question.classes}
            for name, measured in value.items():
                found += measurements_of(measured, site=coded(str(name), words.get(name, str(name))))
    return found


def measurements_of(
    measured: Mapping[str, Any],
    *,
    site: CodedConcept | None = None,
    lines: list[CoordinatesForMeasurement] | None = None,
) -> list[Measurement]:
    """Code what was measured, by the names that end with their unit."""
    sites = None if site is None else [FindingSite(site)]
    found = []
    for name, value in measured.items():
        coding = measure_of(name)
        if coding is not None and isinstance(value, int | float):
            found.append(
                Measurement(
                    coding[0], ds(float(value)), coding[1], referenced_coordinates=lines, finding_sites=sites
                )
            )
    return found


def of_drawing(case: FrozenCase, said: Said, one: Drawing, names: Names) -> Group:
    """Give one group for a region: its place on the image, what it is, what it measures."""
    tracking = TrackingIdentifier(names.uid(one.region.id), f"{one.question.key}:{one.label.value}"[:64])
    measured = said.measurements.get(one.region.id, {})
    kind = coded(one.label.value, one.label.label)
    evaluations = list(evaluations_of(one.question.attributes, one.region.attributes))
    numbers = list(numbers_of(one.question.attributes, one.region.attributes))
    image = image_of(case, one)
    if one.question.kind in CLOSED or one.question.kind == "point":
        region = ImageRegion(*graphic_of(one), source_image=image)
        signal = signal_of(case, measured)
        return PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=tracking,
            referenced_region=region,
            finding_type=kind,
            measurements=[*measurements_of(measured), *signal, *numbers] or None,
            qualitative_evaluations=evaluations or None,
        )
    lines = [CoordinatesForMeasurement(GraphicTypeValues.POLYLINE, line, image) for line in lines_of(one)]
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=tracking,
        finding_type=kind,
        measurements=[*line_measurements(one, measured, lines), *numbers] or None,
        qualitative_evaluations=evaluations or None,
    )


def line_measurements(
    one: Drawing, measured: Mapping[str, Any], lines: list[CoordinatesForMeasurement]
) -> list[Measurement]:
    """Give each length the line that it was taken from: the longer axis the longer line."""
    if one.question.kind != "bidirectional":
        return measurements_of(measured, lines=lines)
    long, short = sorted(range(2), key=lambda place: axis_rank(one, place), reverse=True)
    axes = {"long_axis": [lines[long]], "short_axis": [lines[short]]}
    return [
        found
        for name, value in measured.items()
        for found in measurements_of({name: value}, lines=axes.get(name.rpartition("_")[0]))
    ]


def axis_rank(one: Drawing, place: int) -> float:
    """Length of an axis in mm, or in pixels where no size is known."""
    size = np.asarray(one.picture.attributes.get("PixelSpacing") or (1.0, 1.0), dtype=np.float64)
    first, second = np.asarray(one.region.points[2 * place : 2 * place + 2], dtype=np.float64)
    return float(np.hypot(*((second - first) * size[::-1])))


def lines_of(one: Drawing) -> list[NDArray[np.float64]]:
    """Give the strokes of a line, two axes or an angle."""
    points = np.asarray(one.region.points, dtype=np.float64)
    return [points[:2], points[2:]] if len(points) == 4 else [points]


def graphic_of(one: Drawing) -> tuple[GraphicTypeValues, NDArray[np.float64]]:
    """Draw a region as SCOORD does: an ellipse by its axes, an outline closed by its first point."""
    points = np.asarray(one.region.points, dtype=np.float64)
    if one.question.kind == "point":
        return GraphicTypeValues.POINT, points
    if one.question.kind == "ellipse":
        return GraphicTypeValues.ELLIPSE, major_first(points)
    closed = outline(one.question.kind, one.region.points)
    return GraphicTypeValues.POLYLINE, np.concatenate([closed, closed[:1]])


def major_first(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put the longer axis of an ellipse first (PS3.3 C.18.6.1.2)."""
    lengths = np.hypot(*(points[1::2] - points[::2]).T)
    return points if lengths[0] >= lengths[1] else np.concatenate([points[2:], points[:2]])


def image_of(case: FrozenCase, one: Drawing) -> SourceImageForRegion:
    """Refer to the frame that a region is on."""
    stored = case.instances[one.picture.sop_instance_uid]
    frames = [one.picture.frame] if stored["frames"] > 1 else None
    return SourceImageForRegion(stored["sop_class_uid"], stored["sop_instance_uid"], frames)


def signal_of(case: FrozenCase, measured: Mapping[str, Any]) -> list[Measurement]:
    """Code mean, deviation, least and most of the pixels inside."""
    modality = str(case.line["modality"])
    name = listed(f"measure:{SIGNAL[modality]}") if modality in SIGNAL else own("pixel_value", "Pixel value")
    unit = listed("unit:hu" if modality == "CT" else "unit:1")
    return [
        Measurement(name, ds(float(measured[one])), unit, derivation=listed(f"derivation:{one}"))
        for one in STATISTICS
        if isinstance(measured.get(one), int | float)
    ]


def ds(value: float) -> float:
    """Round to what a decimal string of 16 characters holds (PS3.5 6.2, DS)."""
    return float(f"{value:.10g}")
