"""`atwork doctor`: what is missing on this machine and in this account."""
