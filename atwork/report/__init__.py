"""What a change does to every environment, in one report that hides nothing and shows no secret.

`run` starts the engine, `read` turns its events into a `model.StackReport`, `values` compares and redacts,
`fingerprint` names a change; `terminal`, `markdown` and `page` show it, `github` puts it beside a pull request.
"""
