"""The domain's tables, re-exported for Django."""

from annotation.exchange.labels.models import LabelImport
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.sending.models import Sending
from annotation.learning.check_models import LabelCheck
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.learning.models import (
    EmbeddingMap,
    Encoder,
    Evaluation,
    ModelCard,
    ModelVersion,
    Policy,
    Promotion,
    SimilaritySearch,
    Snapshot,
    TrainingRun,
)
from annotation.projects.models import Case, Membership, Placement, Project, Protocol, Split
from annotation.queue.models import Entry, Lease, Pick, QueryBatch, Ranking, Remark
from annotation.readings.models import Agreement, Draft, Reading, ReferenceStandard, Revision, Skip, Source
from annotation.studies.models import (
    Acquisition,
    Dataset,
    Deletion,
    Import,
    ImportedFile,
    Instance,
    Patient,
    QuarantinedFile,
    Series,
    Study,
)

__all__ = [
    "Acquisition",
    "Agreement",
    "Case",
    "Dataset",
    "Deletion",
    "Draft",
    "Duplicate",
    "DuplicateSearch",
    "EmbeddingMap",
    "Encoder",
    "Entry",
    "Erasure",
    "Evaluation",
    "Export",
    "Import",
    "ImportedFile",
    "Instance",
    "LabelCheck",
    "LabelImport",
    "Lease",
    "Membership",
    "ModelCard",
    "ModelVersion",
    "Patient",
    "Peer",
    "Pick",
    "PixelHead",
    "Placement",
    "Policy",
    "Project",
    "Promotion",
    "Protocol",
    "Pull",
    "QuarantinedFile",
    "QueryBatch",
    "Ranking",
    "Reading",
    "ReferenceStandard",
    "RegionSuggestion",
    "Remark",
    "Revision",
    "Sending",
    "Series",
    "SimilaritySearch",
    "Skip",
    "Snapshot",
    "Source",
    "Split",
    "Study",
    "TrainingRun",
]
