"""Export facenet-pytorch's InceptionResnetV1 to the ONNX file that the embedder `inception_resnet` runs.

Runs in an environment of its own, see README.md beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

FILE = "inception_resnet_v1_vggface2.onnx"
SIDE = 160
OPSET = 17
LARGEST_ERROR = 1e-4
"""Of one component of a unit vector, between the file on ONNX Runtime and torch."""


def main() -> int:
    """Export, check, and say where the file belongs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=Path(FILE), help=f"default: {FILE}")
    parser.add_argument("--random-weights", action="store_true", help="download nothing; for tests of the export only")
    parser.add_argument("--seed", type=int, default=0, help="of the random weights and of the random input")
    options = parser.parse_args()
    partial = options.output.with_name(options.output.name + ".part")
    try:
        error = export(partial, options.random_weights, options.seed)
        if error > LARGEST_ERROR:
            print(f"the file differs from torch by {error:.1e}: nothing was written", file=sys.stderr)
            return 1
        partial.replace(options.output)
    finally:
        partial.unlink(missing_ok=True)
    print(f"{options.output}: {options.output.stat().st_size} bytes, differs from torch by {error:.1e} at most")
    print(f"sha256 {hashlib.sha256(options.output.read_bytes()).hexdigest()}")
    if options.random_weights:
        print("random weights: of no use but to a test")
    else:
        print(f"put it, as {FILE}, into $CVID_MODEL_DIR, the folder of --model-dir, or ~/.cache/cvid/models")
    return 0


def export(path: Path, random_weights: bool, seed: int) -> float:
    """Write the file; return the largest difference between what it and torch say of random pictures."""
    import torch

    torch.manual_seed(seed)
    model = network(random_weights)
    with torch.no_grad():
        torch.onnx.export(
            model,
            (torch.zeros(2, 3, SIDE, SIDE),),
            str(path),
            input_names=["rgb"],
            output_names=["vector"],
            dynamic_axes={"rgb": {0: "n"}, "vector": {0: "n"}},
            opset_version=OPSET,
            **plain_exporter(),
        )
        # Of other batch sizes than the one it was exported with: that the batch is free has to be seen, too.
        return max(difference(path, model, torch.rand(n, 3, SIDE, SIDE) * 2 - 1) for n in (1, 3))


def network(random_weights: bool) -> Any:
    """The network, ready to be asked; downloads facenet-pytorch's weights (107 MB) unless they are to be random."""
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    model = InceptionResnetV1(pretrained=None if random_weights else "vggface2").eval()
    if random_weights:
        measure(model)
    return model


def measure(model: Any) -> None:
    """Let the batch norms take their statistics from noise.

    Without them random weights damp every picture to the same vector, which would hide any error of the export.
    """
    import torch

    for module in model.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.momentum = None  # a plain mean of what was seen
    model.train()
    with torch.no_grad():
        model(torch.rand(8, 3, SIDE, SIDE) * 2 - 1)
    model.eval()


def plain_exporter() -> dict[str, Any]:
    """Arguments for the exporter that needs nothing but torch; the default of later versions needs onnxscript."""
    import inspect

    import torch

    return {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}


def difference(path: Path, model: Any, pictures: Any) -> float:
    """The largest difference of one component between ONNX Runtime and torch."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (vectors,) = session.run(None, {"rgb": pictures.numpy()})
    return float(abs(vectors - model(pictures).numpy()).max())


if __name__ == "__main__":
    sys.exit(main())
