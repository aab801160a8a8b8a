"""Let other people's packages in without letting them change this process."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

ON_ONNX_RUNTIME = {"DEEPFACE_BACKEND_ENGINE": "onnx", "DEEPFACE_LOG_LEVEL": "40", "RETINAFACE_LOG_LEVEL": "40"}
"""Environment in which deepface and retina-face take neither TensorFlow nor PyTorch, and print nothing."""


@contextmanager
def guest(**variables: str) -> Iterator[None]:
    """Import or call a package with these environment variables; afterwards all of the environment is as before.

    So are the warning filters: retina-face silences every warning of the process when it is imported.
    """
    before = dict(os.environ)
    with warnings.catch_warnings():
        os.environ.update(variables)
        try:
            yield
        finally:
            for name in set(os.environ) - set(before):
                del os.environ[name]
            for name, value in before.items():
                if os.environ.get(name) != value:
                    os.environ[name] = value
