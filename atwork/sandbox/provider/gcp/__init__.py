"""Simulated Google Cloud: names, ids, computed outputs, references and deletion protection."""
