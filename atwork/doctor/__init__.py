"""`atwork doctor`: problems of this machine and of the Google Cloud account, with fixes."""
