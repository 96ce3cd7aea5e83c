"""Jenkins on the ci cluster.

`settings` is what a stack file may say; `jcasc`, `pods`, `stores` and `values` turn it into data and know nothing of
Pulumi; `jenkins` declares the resources, with `builders` and `deploy` as its parts. Every stack reads the settings and
one stack runs Jenkins: import `components.jenkins.jenkins` only there, because the SDK of Kubernetes loads slowly.
"""
