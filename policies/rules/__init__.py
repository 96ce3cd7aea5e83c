"""The rules, by the kind of resource that they check."""
