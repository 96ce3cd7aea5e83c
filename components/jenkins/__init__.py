"""Jenkins on the ci cluster.

`settings` is the section of a stack file. `values` and the modules that it imports compute data from it, without
Pulumi. `jenkins` declares the resources, with `builders`, `controller`, `deploy` and `release` as its parts. Every
stack reads the settings, but only one runs Jenkins: import `components.jenkins.jenkins` only there, because the SDK of
Kubernetes loads slowly.
"""
