"""Encoders by name: what each is, under which licence, how images enter it, where its weights come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from annotation.projects.rules import RefusedError

IMAGENET_MEAN, IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
TORCHVISION = "https://download.pytorch.org/models/"
MEDICALNET = (
    "https://huggingface.co/TencentMedicalNet/MedicalNet-Resnet{0}/resolve/main/resnet_{0}_23dataset.pth"
)
INPUTS: Final = {
    "planes": "single slices, pooled",
    "adjacent": "each slice with its neighbours (2.5D), pooled",
    "volume": "the whole volume (3D)",
}


@dataclass(frozen=True)
class Entry:
    """One encoder that can be had.

    preprocessing: fields of the worker's Preprocessing. hub: where `manage.py encoders add NAME --hub`
    fetches it. digest_begins: of the hub's file, SHA-256. package: what must be installed to build it.
    """

    name: str
    title: str
    licence: str
    source: str
    preprocessing: Mapping[str, Any]
    hub: str = ""
    digest_begins: str = ""
    package: str = ""

    @property
    def sees(self) -> str:
        """Say in words how a series enters it."""
        return INPUTS[str(self.preprocessing.get("seen", "planes"))]

    def as_row(self) -> dict[str, Any]:
        """Plain values, for lists."""
        return {
            "name": self.name,
            "title": self.title,
            "licence": self.licence,
            "source": self.source,
            "preprocessing": dict(self.preprocessing),
            "hub": self.hub,
            "digest_begins": self.digest_begins,
            "package": self.package,
        }


@dataclass(frozen=True)
class _Family:
    """What the encoders of one source share."""

    licence: str
    source: str
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    package: str = ""

    def entry(self, name: str, title: str, architecture: str, hub: str = "", begins: str = "") -> Entry:
        """Make one of them."""
        how = {**self.preprocessing, "architecture": architecture}
        return Entry(name, title, self.licence, self.source, how, hub, begins, self.package)


_COLOUR: Final = {"size": 224, "channels": 3, "mean": IMAGENET_MEAN, "deviation": IMAGENET_DEVIATION}
_IMAGENET = _Family("BSD-3-Clause (code); ImageNet's terms (images)", "torchvision", _COLOUR)
_SLICES = _Family(
    "BSD-3-Clause (code); ImageNet's terms (images)", "torchvision", {**_COLOUR, "seen": "adjacent"}
)
_MEDICALNET = _Family(
    "MIT",
    "TencentMedicalNet (Chen 2019, arXiv 1904.00625)",
    {"size": 112, "channels": 1, "slices": 56, "seen": "volume", "own_scale": True},
)
_RADIMAGENET = _Family(
    "on request from RadImageNet; not for commercial use",
    "RadImageNet (Mei 2022)",
    {"size": 224, "channels": 3, "mean": 0.5, "deviation": 0.5},
)
_DINO = _Family("Apache-2.0", "Meta AI, in timm's layout", _COLOUR, "timm")
_CLIP = _Family(
    "MIT",
    "microsoft/BiomedCLIP-PubMedBERT_256-vit_base_patch16_224",
    {"size": 224, "channels": 3, "mean": CLIP_MEAN, "deviation": CLIP_DEVIATION},
    "open_clip_torch",
)

_18, _50 = ("resnet18-f37072fd.pth", "f37072fd"), ("resnet50-0676ba61.pth", "0676ba61")
CATALOGUE: Final[Mapping[str, Entry]] = {
    entry.name: entry
    for entry in (
        _IMAGENET.entry(
            "imagenet-resnet18", "ResNet-18, ImageNet", "resnet18-2d", TORCHVISION + _18[0], _18[1]
        ),
        _IMAGENET.entry(
            "imagenet-resnet50", "ResNet-50, ImageNet", "resnet50-2d", TORCHVISION + _50[0], _50[1]
        ),
        _SLICES.entry(
            "imagenet-resnet18-2.5d",
            "ResNet-18, ImageNet, on three slices",
            "resnet18-2d",
            TORCHVISION + _18[0],
            _18[1],
        ),
        *(
            _MEDICALNET.entry(
                f"medicalnet-resnet{depth}",
                f"3D ResNet-{depth}, MedicalNet",
                f"resnet{depth}-3d",
                MEDICALNET.format(depth),
            )
            for depth in (10, 18, 34, 50)
        ),
        _RADIMAGENET.entry("radimagenet-resnet50", "ResNet-50, RadImageNet", "resnet50-2d"),
        _DINO.entry("dinov2-vit-s14", "ViT-S/14, DINOv2", "timm:vit_small_patch14_dinov2.lvd142m"),
        _DINO.entry("dinov2-vit-b14", "ViT-B/14, DINOv2", "timm:vit_base_patch14_dinov2.lvd142m"),
        _DINO.entry("dino-vit-s16", "ViT-S/16, DINO", "timm:vit_small_patch16_224.dino"),
        _CLIP.entry("biomedclip-vit-b16", "ViT-B/16, BiomedCLIP", "open_clip:vit_base_patch16_224"),
    )
}


def entry_of(name: str) -> Entry:
    """Find an encoder by name.

    raises: RefusedError naming what there is.
    """
    if name not in CATALOGUE:
        raise RefusedError(f"no encoder is called {name!r}: known are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
