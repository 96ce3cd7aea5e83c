"""`atwork service`: create services, check their repositories, and move them between groups."""
