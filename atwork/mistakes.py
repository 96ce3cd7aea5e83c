"""What a person can mend: told in one line, and no traceback."""

from __future__ import annotations


class Mistake(Exception):
    """The message names what is wrong and the fix; the command ends with it and exit code 1."""
