"""Networks of packages that are not dependencies: timm (the DINO family) and open_clip (BiomedCLIP)."""

import importlib
from typing import Any, Final

from torch import nn

TIMM, CLIP = "timm:", "open_clip:"
DIMENSIONS: Final = {
    "timm:vit_small_patch14_dinov2.lvd142m": 384,
    "timm:vit_base_patch14_dinov2.lvd142m": 768,
    "timm:vit_small_patch16_224.dino": 384,
    "open_clip:vit_base_patch16_224": 512,
}


class MissingPackageError(ImportError):
    """The package that builds a network is not installed."""


def is_foreign(architecture: str) -> bool:
    """Whether an architecture comes from such a package."""
    return architecture.startswith((TIMM, CLIP))


def dimension_of(architecture: str) -> int:
    """Length of a network's vectors."""
    return DIMENSIONS[architecture]


def built(architecture: str) -> nn.Module:
    """Make the network, without fetching anything.

    raises: MissingPackageError naming the package and how to install it.
    """
    name = architecture.partition(":")[2]
    network: nn.Module
    if architecture.startswith(TIMM):
        network = package("timm", "timm").create_model(name, pretrained=False, num_classes=0, img_size=224)
        return network
    models = package("open_clip.timm_model", "open_clip_torch")
    network = models.TimmModel(
        name, embed_dim=DIMENSIONS[architecture], image_size=224, pool="", proj="linear", pretrained=False
    )
    return network


def package(module: str, distribution: str) -> Any:  # noqa: ANN401  a module that is perhaps not there
    """Import what is perhaps not installed.

    raises: MissingPackageError.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingPackageError(
            f"this encoder needs the package {distribution}, which is not installed: "
            f"pip install --no-deps {distribution}, and what it asks for, with a torchvision that suits torch"
        ) from error
