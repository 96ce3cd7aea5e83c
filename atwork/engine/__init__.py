"""The Pulumi engine: found on PATH, or built once into a cache that all checkouts share."""
