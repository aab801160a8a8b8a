"""OpenCV must start on a bare server, or say in one sentence what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from cvid.opencv import cv2

DESKTOP_LIBRARIES = (
    "libGL.so",
    "libX11.so",
    "libSM.so",
    "libICE.so",
    "libglib-2.0.so",
    "libgthread-2.0.so",
    "libxcb.so",
)


@pytest.mark.skipif(not shutil.which("ldd"), reason="needs ldd")
def test_the_installed_build_needs_no_desktop_library() -> None:
    binary = next(Path(str(cv2.__file__)).parent.glob("cv2*.so"))
    needed = subprocess.run(["ldd", str(binary)], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert [library for library in DESKTOP_LIBRARIES if library in needed] == []


def test_all_builds_of_opencv_are_one_version() -> None:
    """The package insightface brings the desktop build, deepface the headless one; both write the folder cv2."""
    builds = {d.name: d.version for d in metadata.distributions() if d.name.lower().startswith("opencv")}
    assert len(set(builds.values())) == 1, builds
    assert set(builds.values()).pop().startswith(str(cv2.__version__))


def test_a_missing_system_library_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    root, clip = Path(__file__).resolve().parent.parent, tmp_path / "clip.mp4"
    clip.touch()
    ran = subprocess.run(
        [sys.executable, str(root / "main.py"), "explain", str(clip)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert "libGL.so.1" in ran.stderr and "pip install" in ran.stderr and "headless" in ran.stderr
    assert "Traceback" not in ran.stderr
