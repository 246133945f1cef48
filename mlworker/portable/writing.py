"""A model version as a file that runs elsewhere: safetensors, ONNX or a MONAI bundle, each read back."""

import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from safetensors.torch import load as load_safetensors
from safetensors.torch import save as save_safetensors

from annotation.exchange.out.archive import Archive, as_json
from annotation.exchange.out.rules import ExportError
from annotation.learning.models import ModelVersion
from mlworker.portable.building import Portable, plain, portable
from mlworker.portable.bundle import add_bundle
from mlworker.portable.model import PortableModel
from mlworker.portable.words import add_papers

Progress = Callable[[float, str], None]
Writer = Callable[[Portable, Archive], None]
OPSET: Final = 17
INPUT, OUTPUT = "image", "pred"


def write(version: ModelVersion, name: str, target: Path, progress: Progress) -> Mapping[str, Any]:
    """Write a version in a format; gives the report of what is in the file.

    raises: ExportError.
    """
    progress(0.1, "Loading the encoder and the heads")
    made = portable(version)
    progress(0.4, "Writing")
    with Archive(target) as archive:
        WRITERS[name](made, archive)
    parameters = sum(one.numel() for one in made.network.state_dict().values())
    return {"counts": {"parameters": parameters, "answers": len(version.classes)}, "left_out": []}


def add_safetensors(made: Portable, archive: Archive) -> None:
    """Every tensor by name, with the description in the header; read back and compared."""
    tensors = {name: one.contiguous() for name, one in made.network.state_dict().items()}
    content = save_safetensors(tensors, {"fovea": json.dumps(description_of(made), sort_keys=True)})
    again = PortableModel(**made.arguments)
    again.load_state_dict(load_safetensors(content))
    check_same(made, again.eval()(sample_of(made)).detach().numpy())
    archive.add("model.safetensors", content)
    archive.add("preprocessing.json", as_json(plain(made.how)))
    add_papers(made, archive)


def add_onnx(made: Portable, archive: Archive) -> None:
    """One graph, pixels in, chances out; checked by ONNX's own checker."""
    archive.add("model.onnx", onnx_of(made))
    archive.add("preprocessing.json", as_json(plain(made.how)))
    add_papers(made, archive)


def onnx_of(made: Portable) -> bytes:
    """Trace the network into a graph.

    torch's older exporter: the newer one needs onnxscript besides, and gives the same graph.
    """
    sizes = {0: "case"} if made.planes else {0: "case", 4: "plane"}
    content = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            made.network,
            (sample_of(made),),
            content,  # type: ignore[arg-type]  # the older exporter writes to streams too
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: sizes, OUTPUT: {0: "case"}},
            opset_version=OPSET,
            dynamo=False,
        )
    graph = onnx.load_model_from_string(content.getvalue())
    onnx.checker.check_model(graph, full_check=True)
    onnx.helper.set_model_props(graph, {"fovea": json.dumps(description_of(made), sort_keys=True)})
    return bytes(graph.SerializeToString(deterministic=True))


def sample_of(made: Portable) -> torch.Tensor:
    """Make pixels of the right shape, always the same."""
    values = np.random.default_rng(0).random(made.input_shape, dtype=np.float32)
    return torch.from_numpy(values)


def check_same(made: Portable, found: np.ndarray[Any, Any]) -> None:
    """Compare what a file gives with what the network gives.

    raises: ExportError.
    """
    with torch.no_grad():
        wanted = made.network(sample_of(made)).numpy()
    if not np.allclose(wanted, found, atol=1e-6):
        raise ExportError("what was read back predicts differently: nothing is handed over")


def description_of(made: Portable) -> dict[str, Any]:
    """Say what the tensors are and how the network is built."""
    version = made.version
    return {
        "format": "fovea-model-1",
        "model": version.number,
        "artefact": version.artefact_digest,
        "encoder": version.encoder.digest,
        "classes": version.classes,
        "network": made.arguments,
        "input": "case, channel, y, x, plane; values 0…1",
        "output": "case, class; chances",
    }


WRITERS: Final[Mapping[str, Writer]] = {
    "model-safetensors": add_safetensors,
    "model-onnx": add_onnx,
    "model-bundle": add_bundle,
}
