"""Reusable Pulumi components. Each file holds its settings (what YAML says) and its component (what is made)."""
