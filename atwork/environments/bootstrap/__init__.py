"""Bootstrap: what a stack needs before its first update: project, state bucket, key, identities of CI."""
