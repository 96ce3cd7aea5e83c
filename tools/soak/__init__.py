"""A soak of the sandbox: random lives of two small environments, with everything that goes wrong in real life."""
