"""Whether settings know what their docstrings say.

Schemas and reference pages need the docstrings of settings; programs of stacks and policies do not, and to read them
takes a sixth of the time to import the settings (`python -X importtime`). Who starts such a program says so.
"""

import os

VARIABLE = "ATWORK_DESCRIPTIONS"
"""Environment variable: `no` leaves the docstrings of settings unread."""

WANTED = os.environ.get(VARIABLE) != "no"
