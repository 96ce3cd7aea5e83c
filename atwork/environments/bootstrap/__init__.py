"""What must be there before a stack: its project, where its state lives, its key, and who may update it from CI."""
