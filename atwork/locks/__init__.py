"""Who holds the lock of a stack, and when it may be taken away.

`store` reads and deletes files in a state's folder or bucket, `model` says what a lock and a run are, `judge` whether
the run has ended, `commands` is `atwork unlock`.
"""
