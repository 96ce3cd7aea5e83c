"""`atwork service move`: a deployed service moves between groups, and its resources between states."""
