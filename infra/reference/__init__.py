"""The reference of all settings: examples, and the pages in docs/reference that are generated from the models."""
