"""What pretraining on the pool's own images buys: linear heads on frozen vectors, before and after.

    python -m benchmarks.pretraining --data FOLDER --minutes 6 --out FOLDER

Settings are chosen on `val`. `--report-test` adds `test`, to be looked at once. The weights are written
beside the figures (encoder.safetensors), for benchmarks.label_efficiency.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.images import Images, random_encoder, read_images
from benchmarks.probing import Probe, pool_of
from mlworker.encoders import weights
from mlworker.encoders.encoding import encoded
from mlworker.encoders.gain import retrieval
from mlworker.encoders.networks import Preprocessing
from mlworker.encoders.pretraining import pretraining
from mlworker.encoders.training import Plan

FEW, SEEDS = 60, 20


def probed(vectors: NDArray[np.float32], images: Images, judge: str) -> dict[str, float]:
    """Balanced accuracy of heads on all training labels, and on a few drawn at random (mean over seeds)."""
    probe = Probe.of(vectors, images, judge)
    few = [probe.drawn(FEW, seed) for seed in range(SEEDS)]
    return {"all_labels": probe.score(probe.train, 0), f"{FEW}_labels": float(np.mean(few))}


def main() -> None:
    """Pretrain on one folder, and print what it bought."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=6.0)
    parser.add_argument("--size", type=int, default=Preprocessing().size)
    parser.add_argument("--report-test", action="store_true")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    preprocessing = Preprocessing(size=given.size)
    images = read_images(given.data, preprocessing)
    before, network = random_encoder(images, preprocessing), random_encoder(images, preprocessing)
    learning, held_back = pool_of(images)
    given.out.mkdir(parents=True, exist_ok=True)
    training = pretraining(network, preprocessing, Plan(minutes=given.minutes), given.out / "checkpoint.pt")
    ended = training.run([learning], [held_back], print)
    gain = retrieval(
        held_back.images,
        candidate=lambda planes: encoded(network, planes, preprocessing),
        current=lambda planes: encoded(before, planes, preprocessing),
        seed=0,
    )
    result: dict[str, Any] = {
        "data": given.data.name,
        "minutes": training.seconds / 60.0,
        "epochs": training.epoch,
        "images": len(learning.images),
        "ended": ended,
        "retrieval": gain.as_row(),
    }
    for judge in ["val", "test"][: 1 + given.report_test]:
        for name, one in (("random_weights", before), ("pretrained", network)):
            vectors = encoded(one, images.planes, preprocessing)
            result.setdefault(judge, {})[name] = probed(vectors, images, judge)
    (given.out / "encoder.safetensors").write_bytes(weights.packed(network)[1])
    (given.out / "pretraining.json").write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
