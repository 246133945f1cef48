"""A model version as a MONAI bundle, as its specification lays it out; production's own code goes with it."""

import io
import re
from importlib.metadata import version as installed
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import torch

from annotation.exchange.out.archive import Archive, as_json
from annotation.learning.models import ModelVersion
from mlworker.portable.building import Portable
from mlworker.portable.words import add_papers

SCHEMA: Final = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_20240725.json"
)
# Production's modules that the bundle's scripts are made of: the same text, with other names in imports.
SCRIPTS: Final = (
    "annotation.studies.frames",
    "annotation.studies.rules",
    "mlworker.pixels.planes",
    "mlworker.pixels.stacks",
    "mlworker.encoders.foreign",
    "mlworker.encoders.networks",
    "mlworker.encoders.encoding",
    "mlworker.portable.model",
    "mlworker.portable.transforms",
)
IMPORTS: Final = re.compile(r"^from (?:annotation|mlworker)\.[\w.]+?(?:\.(\w+))? import (.+)$", re.MULTILINE)
SYNTAX: Final = ("$", "@", "%")
RELATIVE: Final = re.compile(r"[@%](?=#|::)")
IN_FRONT: Final = "called "
IGNITE: Final = "0.5.1"  # the oldest whose engines MONAI takes; Fovea itself does without
ANSWERS: Final = "chances.csv"
HOW_TO: Final = Path(__file__).with_name("how_to_run.md")


def add_bundle(made: Portable, archive: Archive) -> None:
    """Write the folder: configs, models, docs, scripts."""
    root = f"{made.name}/"
    archive.add(f"{root}configs/metadata.json", as_json(metadata_of(made)))
    archive.add(f"{root}configs/inference.json", as_json(inference_of(made)))
    archive.add(f"{root}models/model.pt", weights_of(made))
    archive.add(f"{root}scripts/__init__.py", "")
    for name in SCRIPTS:
        archive.add(f"{root}scripts/{name.rpartition('.')[2]}.py", script_of(name))
    add_papers(made, archive, f"{root}docs/")
    words = HOW_TO.read_text(encoding="utf-8")
    archive.add(f"{root}docs/how_to_run.md", words.format(name=made.name, shape=made.input_shape))


def weights_of(made: Portable) -> bytes:
    """State dictionary, as the specification wants it; plain tensors, which load with weights_only."""
    content = io.BytesIO()
    torch.save(dict(made.network.state_dict()), content)
    return content.getvalue()


def script_of(name: str) -> str:
    """Read a module's source, its imports of the others renamed to the bundle's.

    raises: ImportError where it is not there.
    """
    found = find_spec(name)
    if found is None or found.origin is None:
        raise ImportError(f"{name} is not there")
    return IMPORTS.sub(renamed, Path(found.origin).read_text(encoding="utf-8"))


def renamed(line: re.Match[str]) -> str:
    """Rename an import: of a module's names, or of a module itself."""
    module, names = line[1], line[2]
    known = {name.rpartition(".")[2] for name in SCRIPTS}
    return f"from scripts.{module} import {names}" if module in known else f"from scripts import {names}"


def metadata_of(made: Portable) -> dict[str, Any]:
    """Describe the bundle, as MONAI's specification of metadata.json asks; in words alone."""
    version = made.version
    question = card_words(version)
    told = {
        "schema": SCHEMA,
        "version": f"1.0.{version.number}",
        "changelog": {f"1.0.{version.number}": f"model {version.number}, {version.label_count} labels"},
        "monai_version": installed("monai"),
        "pytorch_version": installed("torch").partition("+")[0],
        "numpy_version": installed("numpy"),
        "optional_packages_version": packages("pydicom", "pillow"),
        "required_packages_version": packages("pillow") | {"pytorch-ignite": IGNITE},
        "name": f"{version.project.name}, model {version.number}",
        "task": question,
        "description": f"{question} Encoder with {made.arguments['heads']} heads on its vectors, their mean.",
        "authors": f"Fovea, project {version.project.name}",
        "copyright": "see docs/license.txt",
        "data_source": f"data set {version.project.dataset.name}; see docs/data_card.md",
        "data_type": "dicom",
        "image_classes": "pixels as a display shows them, 0…1",
        "label_classes": ", ".join(version.classes),
        "pred_classes": f"chance of each of: {', '.join(version.classes)}",
        "eval_metrics": figures_of(version),
        "intended_use": "Ranks and suggests within its own project. No medical device: not for diagnosis.",
        "references": [],
        "network_data_format": {
            "inputs": {"image": input_format(made)},
            "outputs": {"pred": output_format(version)},
        },
    }
    return {name: as_words(value) for name, value in told.items()}


def as_words(value: Any) -> Any:  # noqa: ANN401  JSON
    """Write what may come from a project's data so that MONAI takes it for words, never for its own syntax.

    A string that begins with $ is run as Python, one with @ or % is looked up, and so is @# within one.
    """
    if isinstance(value, dict):
        return {name: as_words(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_words(one) for one in value]
    if not isinstance(value, str):
        return value
    words = RELATIVE.sub(r"\g<0> ", value)
    return f"{IN_FRONT}{words}" if words.lstrip().startswith(SYNTAX) else words


def card_words(version: ModelVersion) -> str:
    """Name what is asked of an image."""
    card = getattr(version, "card", None)
    return str(card.content["model"].get("question", "")) if card else ""


def figures_of(version: ModelVersion) -> dict[str, float]:
    """Give what the audit stream said, without the intervals, which the model card has."""
    metrics = version.evaluation.metrics
    return {name: round(one["value"], 4) for name, one in metrics.items() if ":" not in name}


def packages(*names: str) -> dict[str, str]:
    """Give versions that are installed here."""
    return {name: installed(name) for name in names}


def input_format(made: Portable) -> dict[str, Any]:
    """Describe the pixels that go in."""
    _, channels, rows, columns, _ = made.input_shape
    series = made.version.project.cases.select_related("series").first()
    names = {1: {"0": "grey"}, 3: {"0": "red", "1": "green", "2": "blue"}}
    if made.how.seen == "adjacent":
        names[3] = {"0": "slice before", "1": "slice", "2": "slice after"}
    return {
        "type": "image",
        "format": "magnitude",
        "modality": series.series.modality if series else "n/a",
        "num_channels": channels,
        "spatial_shape": [rows, columns, made.planes or "*"],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": names[channels],
    }


def output_format(version: ModelVersion) -> dict[str, Any]:
    """Describe the chances that come out."""
    return {
        "type": "probabilities",
        "format": "classes",
        "num_channels": len(version.classes),
        "spatial_shape": [],
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {str(number): value for number, value in enumerate(version.classes)},
    }


def inference_of(made: Portable) -> dict[str, Any]:
    """Say how MONAI runs it: every file or folder of `images` is one case; chances go to a table."""
    return {
        "imports": ["$from pathlib import Path", "$import monai"],
        "bundle_root": ".",
        "dataset_dir": "$@bundle_root + '/images'",
        "output_dir": "$@bundle_root + '/eval'",
        "device": "$torch.device('cuda:0' if torch.cuda.is_available() else 'cpu')",
        "datalist": "$sorted(str(one) for one in Path(@dataset_dir).iterdir())",
        "network_def": {"_target_": "scripts.model.PortableModel", **made.arguments},
        "network": "$@network_def.to(@device)",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {
                    "_target_": "scripts.transforms.LoadSeriesd",
                    "keys": "image",
                    "preprocessing": made.arguments["preprocessing"],
                },
                {"_target_": "EnsureTyped", "keys": "image"},
            ],
        },
        "dataset": {
            "_target_": "Dataset",
            "data": "$[{'image': one} for one in @datalist]",
            "transform": "@preprocessing",
        },
        "dataloader": {
            "_target_": "DataLoader",
            "dataset": "@dataset",
            "batch_size": 1,
            "shuffle": False,
            "num_workers": 0,
        },
        "inferer": {"_target_": "SimpleInferer"},
        "postprocessing": {
            "_target_": "Compose",
            "transforms": [{"_target_": "ToTensord", "keys": "pred", "track_meta": False}],
        },
        "handlers": [
            {
                "_target_": "CheckpointLoader",
                "load_path": "$@bundle_root + '/models/model.pt'",
                "load_dict": {"model": "@network"},
                "map_location": "@device",
            },
            {
                "_target_": "ClassificationSaver",
                "output_dir": "@output_dir",
                "filename": ANSWERS,
                "batch_transform": "$lambda batch: [one['image'].meta for one in batch]",
                "output_transform": "$monai.handlers.from_engine(['pred'])",
            },
        ],
        "evaluator": {
            "_target_": "SupervisedEvaluator",
            "device": "@device",
            "val_data_loader": "@dataloader",
            "network": "@network",
            "inferer": "@inferer",
            "postprocessing": "@postprocessing",
            "val_handlers": "@handlers",
        },
        "initialize": ["$monai.utils.set_determinism(seed=0)"],
        "run": ["$@evaluator.run()"],
    }
