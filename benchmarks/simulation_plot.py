"""Draw what `manage.py simulate-readers --out FILE` wrote: the strategy's curve beside random's.

python -m benchmarks.simulation_plot FILE.json PICTURE.svg
"""

import json
import sys
from pathlib import Path

from matplotlib.figure import Figure

COLOURS = {"strategy": "#0b6e75", "random": "#a04a00"}


def main(source: Path, picture: Path) -> None:
    """Draw both arms with their intervals."""
    found = json.loads(source.read_text())
    figure = Figure(figsize=(7, 4))
    axes = figure.subplots()
    for arm, points in found["curves"].items():
        spent = [point["readings"] for point in points]
        name = found["strategy"] if arm == "strategy" else arm
        axes.plot(spent, [point["value"] for point in points], color=COLOURS[arm], label=name)
        low, high = [point["low"] for point in points], [point["high"] for point in points]
        axes.fill_between(spent, low, high, color=COLOURS[arm], alpha=0.15, linewidth=0)
    axes.set(xlabel="readings", ylabel="balanced accuracy, held-out test split", title=found["project"])
    axes.legend()
    figure.tight_layout()
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
