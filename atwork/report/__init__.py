"""The report of a preview: everything that would change, without secrets.

`read` turns the engine's events into a `model.StackReport`, `values` compares and redacts, `fingerprint` identifies a
change; `terminal`, `markdown` and `page` show the report.
"""
