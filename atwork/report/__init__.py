"""What a change does to every environment, in one report that leaves nothing out and shows no secret.

`read` turns the engine's events into a `model.StackReport`, `values` compares and redacts, `fingerprint` identifies a
change; `terminal`, `markdown` and `page` show the report.
"""
