"""The model store: which models there are, where their weights lie, and which of them run together."""
