"""The door: `python main.py VERB` is the same program as the installed `cvid VERB`."""

from __future__ import annotations

from reports.cli import main

if __name__ == "__main__":
    main()
