"""The command `atwork`: the engine, the sandbox, and the checks of the stack files."""
