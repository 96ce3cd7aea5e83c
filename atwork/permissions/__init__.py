"""The permissions that Google's roles hold and that its API methods need."""
