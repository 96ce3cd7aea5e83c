"""`atwork environment`: new environments with free ranges, how long they have, and their end."""
