"""reports shows: the terminal, exports and the command line."""
