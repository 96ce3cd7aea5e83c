"""The files that a pull request changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from github.PullRequest import PullRequest

_LISTED = 3000
"""Files that the API lists at most. https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""


def files_of(pull: PullRequest) -> list[str] | None:
    """The files, both names of a moved one; None where there may be more than the API lists."""
    files = list(pull.get_files())
    if len(files) >= _LISTED:
        return None
    return sorted({name for file in files for name in (file.filename, file.previous_filename) if name})
