"""cvid sees: from pixels to clusters. Knows no SQL, no terminal and no folders of results."""

__version__ = "0.1.0"
