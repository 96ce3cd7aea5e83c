"""Errors that the program and its files report; atwork/errors.py extends them for the command line.

The program must not import the command line, so the base class is here.
"""

from __future__ import annotations


class UserError(Exception):
    """An error that the user can fix: the message says what is wrong and what to do, and no traceback is shown."""


class ConfigError(UserError):
    """A file is wrong; the message has one line for each problem: file, key and fix."""
