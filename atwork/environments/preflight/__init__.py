"""Read-only checks of Google Cloud before an environment is created and after its bootstrap, each with its fix."""
