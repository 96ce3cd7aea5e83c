"""Jenkins on the ci cluster.

`settings` is what a stack file may say; `jcasc`, `pods`, `stores` and `values` turn it into data and know nothing of
Pulumi; `jenkins`, with `builders` and `deploy` as its parts, makes the resources.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.jenkins.jenkins import Jenkins

__all__ = ["Jenkins"]


def __getattr__(name: str) -> Any:
    # Every stack reads the settings, one makes Jenkins: only that one waits for the SDK of Kubernetes to load.
    if name == "Jenkins":
        from components.jenkins.jenkins import Jenkins

        return Jenkins
    raise AttributeError(f"module {__name__} has no attribute {name}")
