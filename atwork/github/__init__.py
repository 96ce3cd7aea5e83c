"""The only place that talks to GitHub: the comment and status of a pull request, and pull requests of our own."""
