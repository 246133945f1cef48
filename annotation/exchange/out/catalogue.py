"""The formats that a snapshot or a model version can be exported in, each with what it is for."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Format:
    """One format: its name in addresses and commands, its title, and a sentence about what it is for."""

    name: str
    title: str
    purpose: str
    group: str


TABLES: Final = "Tables"
DICOM: Final = "DICOM"
VOLUMES: Final = "Volumes"
PICTURES: Final = "Pictures"
MODELS: Final = "Models"

FORMATS: Final[dict[str, Format]] = {
    one.name: one
    for one in (
        Format("csv", "CSV", "For spreadsheets and statistics: a row a reader, revision, question.", TABLES),
        Format("jsonl", "JSON lines", "The same rows for programs, a JSON object a line.", TABLES),
        Format("parquet", "Parquet", "The same rows for pandas, DuckDB or Spark, small and typed.", TABLES),
        Format(
            "dicom-seg",
            "DICOM SEG, binary",
            "For a PACS or a viewer: each reader's masks as segmentations of the stored images.",
            DICOM,
        ),
        Format(
            "dicom-seg-labelmap",
            "DICOM SEG, labelmap",
            "The same masks, one number a voxel: smaller, for systems of 2024 or newer.",
            DICOM,
        ),
        Format(
            "dicom-sr",
            "DICOM SR, TID 1500",
            "Each reader's answers, regions and measurements as a coded report.",
            DICOM,
        ),
        Format(
            "dicom-rtstruct",
            "DICOM RTSTRUCT",
            "For radiotherapy planning: outlines and masks as contours in the patient.",
            DICOM,
        ),
        Format(
            "nifti",
            "NIfTI",
            "For 3D Slicer, ITK-SNAP and scripts: images and each reader's masks on one grid, in mm.",
            VOLUMES,
        ),
        Format(
            "monai",
            "MONAI and nnU-Net folder",
            "To train on: imagesTr, labelsTr, imagesTs and dataset.json; the Python client reads it too.",
            VOLUMES,
        ),
        Format(
            "coco",
            "COCO",
            "For detection and instance masks: boxes, polygons, run-length masks.",
            PICTURES,
        ),
        Format(
            "voc",
            "Pascal VOC",
            "For older detectors: XML for each picture, masks as pictures.",
            PICTURES,
        ),
        Format("yolo", "YOLO", "For YOLO detectors: a text file a picture, and data.yaml.", PICTURES),
    )
}
MODEL_FORMATS: Final[dict[str, Format]] = {
    one.name: one
    for one in (
        Format(
            "model-safetensors",
            "safetensors",
            "For programs of your own: every tensor by name, no pickle, with the description in the header.",
            MODELS,
        ),
        Format(
            "model-onnx",
            "ONNX",
            "For ONNX Runtime and other engines: encoder and heads as one graph, pixels in, chances out.",
            MODELS,
        ),
        Format(
            "model-bundle",
            "MONAI bundle",
            "For MONAI's own tools and MONAI Deploy: weights, configurations, preprocessing, cards.",
            MODELS,
        ),
    )
}
ALL_FORMATS: Final[dict[str, Format]] = FORMATS | MODEL_FORMATS
CHOICES: Final = [(one.name, one.title) for one in FORMATS.values()]
