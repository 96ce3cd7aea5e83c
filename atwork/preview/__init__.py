"""`atwork preview`, `atwork report` and `atwork drift`: reports of stacks, with locks, pictures and GitHub."""
