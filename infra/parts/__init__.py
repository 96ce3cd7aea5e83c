"""The parts of an environment in the order in which they are made; each takes what came before it."""
