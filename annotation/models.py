"""The domain's tables, re-exported for Django."""

from annotation.exchange.labels.models import LabelImport
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.exchange.peers.models import Peer, Pull
from annotation.exchange.sending.models import Sending
from annotation.learning.check_models import LabelCheck
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.learning.judged_models import Comparison, Drift, JudgedCase, RunLine
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
from annotation.readings.adjudication_models import Decision, Dispute
from annotation.readings.effort_models import Effort
from annotation.readings.gold_models import GoldCase, GoldReading, Qualification
from annotation.readings.models import Agreement, Draft, Reading, ReferenceStandard, Revision, Skip, Source
from annotation.readings.repeat_models import Repeat, RepeatRevision
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
    "Comparison",
    "Dataset",
    "Decision",
    "Deletion",
    "Dispute",
    "Draft",
    "Drift",
    "Duplicate",
    "DuplicateSearch",
    "Effort",
    "EmbeddingMap",
    "Encoder",
    "Entry",
    "Erasure",
    "Evaluation",
    "Export",
    "GoldCase",
    "GoldReading",
    "Import",
    "ImportedFile",
    "Instance",
    "JudgedCase",
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
    "Qualification",
    "QuarantinedFile",
    "QueryBatch",
    "Ranking",
    "Reading",
    "ReferenceStandard",
    "RegionSuggestion",
    "Remark",
    "Repeat",
    "RepeatRevision",
    "Revision",
    "RunLine",
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
