"""`make bench`: how long the commands of the sandbox take, and where the time goes. Not a test."""
