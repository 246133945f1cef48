"""Words that must not be found again: planted in every kind of place where a header can name a patient."""

from collections.abc import Callable

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

POSITIONS = 82


def canary(number: int) -> bytes:
    """The word planted at a position: fits a code string, a date-less text, a name."""
    return f"CANARY{number:02d}".encode()


def found_in(content: bytes) -> list[int]:
    """Which positions' words are found in some bytes, whatever their case."""
    upper = content.upper()
    return [number for number in range(POSITIONS) if canary(number) in upper]


def plant(made: Dataset) -> tuple[Dataset, bytes]:
    """Plant a canary at every position; returns the data set, with its file meta, and the preamble."""
    words = iter(range(POSITIONS))

    def word() -> str:
        return canary(next(words)).decode()

    for keyword in TEXTS:
        setattr(made, keyword, word())
    for add in (_nested, _private, _curves, _codes, _numbers, _reported, _drawn, _referred, _odd, _meta):
        add(made, word)
    preamble = b"MM\0*" + word().encode()
    assert next(words, None) is None, "POSITIONS is as many as are planted"
    return made, preamble.ljust(128, b"\0")


TEXTS = (
    "PatientName", "PatientID", "OtherPatientNames", "PatientAddress", "PatientComments",
    "PatientMotherBirthName", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName",
    "StationName", "ReferringPhysicianName",
    "OperatorsName", "PerformingPhysicianName", "NameOfPhysiciansReadingStudy", "AccessionNumber", "StudyID",
    "StudyDescription", "SeriesDescription", "ProtocolName", "ImageComments", "DerivationDescription",
    "DeviceSerialNumber", "SoftwareVersions", "Manufacturer", "ManufacturerModelName", "ConvolutionKernel",
    "BodyPartExamined", "RequestedProcedureDescription", "AdmittingDiagnosesDescription",
)  # fmt: skip


def _nested(made: Dataset, word: Callable[[], str]) -> None:
    """Names inside sequences that stay, and inside sequences inside them."""
    inner, outer = Dataset(), Dataset()
    inner.PatientName, inner.SeriesDescription = word(), word()
    outer.ReferencedSOPClassUID, outer.PatientID = made.SOPClassUID, word()
    outer.ReferencedImageSequence = Sequence([inner])
    made.ReferencedImageSequence = Sequence([outer])
    made.RequestAttributesSequence = Sequence([_item("ScheduledProcedureStepDescription", word())])


def _private(made: Dataset, word: Callable[[], str]) -> None:
    """Private groups, and an even group that no dictionary knows."""
    block = made.private_block(0x0009, word(), create=True)
    block.add_new(0x01, "LO", word())
    nested = made.private_block(0x0011, word(), create=True)
    nested.add_new(0x02, "SQ", Sequence([_item("PatientName", word())]))
    made.add(DataElement(0x00420011, "OB", word().encode()))
    made.add(DataElement(0x0088FFFE, "LO", word()))


def _curves(made: Dataset, word: Callable[[], str]) -> None:
    """Curves and overlays, a colour profile, an icon's text."""
    made.add(DataElement(0x50000022, "LO", word()))
    made.add(DataElement(0x60000022, "LO", word()))
    made.add(DataElement(0x00282000, "OB", word().encode()))


def _codes(made: Dataset, word: Callable[[], str]) -> None:
    """Codes with a local scheme, and a public code with a text of its own."""
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "39607008", "SCT", word()
    local = Dataset()
    local.CodeValue, local.CodingSchemeDesignator, local.CodeMeaning = word(), "99LOCAL", word()
    made.AnatomicRegionSequence = Sequence([code, local])


def _numbers(made: Dataset, word: Callable[[], str]) -> None:
    """Texts where a number, a date or a term belongs."""
    made.add(DataElement(0x00181041, "DS", "1"))
    made.ImageType = ["ORIGINAL", "PRIMARY", word()]
    made.ViewPosition = word()


def _reported(made: Dataset, word: Callable[[], str]) -> None:
    """A structured report's text, names and times, two levels deep, and a report in a document's clothes."""
    said, under = Dataset(), Dataset()
    said.ValueType, said.TextValue, said.PersonName = "TEXT", word(), word()
    under.ValueType, under.TextValue = "TEXT", word()
    said.ContentSequence = Sequence([under])
    made.ContentSequence = Sequence([said])
    made.VerifyingObserverSequence = Sequence([_item("VerifyingObserverName", word())])
    made.AcquisitionContextSequence = Sequence([_item("TextValue", word())])
    made.DocumentTitle, made.TextString = word(), word()


def _drawn(made: Dataset, word: Callable[[], str]) -> None:
    """What is drawn over an image: text of a presentation, overlays of other groups, curve data, an icon."""
    graphic = Dataset()
    graphic.TextObjectSequence = Sequence([_item("UnformattedTextValue", word())])
    made.GraphicAnnotationSequence = Sequence([graphic])
    made.add(DataElement(0x60023000, "OW", word().encode()))
    made.add(DataElement(0x60024000, "LT", word()))
    made.add(DataElement(0x50043000, "OW", word().encode()))
    icon = Dataset()
    icon.add(DataElement(0x7FE00010, "OB", word().encode()))
    icon.add(DataElement(0x00091010, "LO", word()))
    made.IconImageSequence = Sequence([icon])


def _referred(made: Dataset, word: Callable[[], str]) -> None:
    """What was there before, and where it came from: modified attributes, trial, device, specimen, links."""
    before = Dataset()
    before.ModifiedAttributesSequence = Sequence([_item("PatientName", word())])
    before.ModifyingSystem, before.SourceOfPreviousValues = word(), word()
    made.OriginalAttributesSequence = Sequence([before])
    made.ClinicalTrialSubjectID, made.GantryID, made.ContainerIdentifier = word(), word(), word()
    made.RetrieveURL = f"https://{word().lower()}.example"
    made.LongDeviceDescription = word()
    made.RequestingPhysician = [word(), word()]


def _odd(made: Dataset, word: Callable[[], str]) -> None:
    """Values that are not what their representation says, unknown ones, and padding."""
    made.add(DataElement(0x00100040, "UN", word().encode()))
    made.add(DataElement(0x00181400, "UN", word().encode()))
    made.add(DataElement(0x00080999, "UN", word().encode()))
    made.add(DataElement(0x00184000, "LT", word()))
    made.add(DataElement(0x00102180, "SH", word()))
    made.add(DataElement(0xFFFCFFFC, "OB", word().encode()))
    shared = Dataset()
    shared.FrameAnatomySequence = Sequence([_item("FrameLaterality", word())])
    made.SharedFunctionalGroupsSequence = Sequence([shared])


def _meta(made: Dataset, word: Callable[[], str]) -> None:
    """The file's own head: who sent it, and private information."""
    meta = FileMetaDataset()
    meta.SourceApplicationEntityTitle, meta.ReceivingApplicationEntityTitle = word(), word()
    meta.ImplementationVersionName = word()
    meta.PrivateInformationCreatorUID = UID("1.2.3")
    meta.PrivateInformation = word().encode()
    made.file_meta = meta


def _item(keyword: str, value: str) -> Dataset:
    item = Dataset()
    setattr(item, keyword, value)
    return item
