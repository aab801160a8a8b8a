"""Sort everything in an archive anew, as a run of its own in its history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from archive.catalogue import Catalogue
from archive.events import WritingFolders
from archive.folders import write_folders
from archive.runlog import RunLog
from archive.sorting.differences import Differences
from archive.sorting.settle import clustering_of, settle
from cvid.settings import Settings


def recluster(archive: Path, settings: Settings, hook: Callable[[WritingFolders], None]) -> Differences:
    """Sort all appearances anew; what a human said is obeyed.

    Raises:
        CatalogueError: there is no such archive, or it is in use.
        SettingsError: the method cannot be used so; nothing has changed.
    """
    with Catalogue.open(archive):  # sorting makes no archive
        pass
    with Catalogue.create_or_open(archive) as catalogue, RunLog(archive) as log:
        with catalogue.atomic():
            run = catalogue.start_run(settings.model_dump())
            found = settle(catalogue, settings, anew=True).differences
            method = clustering_of(catalogue, settings).method
            catalogue.finish_run(run, f"sorted anew by {method}", catalogue.models(), [])
        log.write("recluster", id=run, method=method, changes=found.as_json())
        write_folders(catalogue, archive, hook)
        return found
