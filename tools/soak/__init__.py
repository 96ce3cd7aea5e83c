"""A soak test of the sandbox: two small environments with random updates, faults, drift, kills and cancels."""
