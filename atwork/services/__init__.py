"""`atwork service`: a new service's repository and its entry in the catalogue; what an existing one lacks."""
