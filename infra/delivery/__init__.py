"""Delivery of releases: the only modules of the program that know which delivery systems exist."""
