"""The one place that imports OpenCV, so that a missing system library becomes one sentence."""

from __future__ import annotations

from cvid.errors import MissingDependency

try:
    import cv2
except ImportError as exc:
    raise MissingDependency(
        f"OpenCV cannot start here ({exc}). The build for desktops needs system libraries that this machine "
        "lacks; the headless build does not: "
        "pip install --force-reinstall --no-deps opencv-contrib-python-headless -c constraints.txt"
    ) from exc

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # cvid itself says what is wrong with a picture
cv2.setNumThreads(1)  # one thread a process: cvid runs as many processes as there are cores

__all__ = ["cv2"]
