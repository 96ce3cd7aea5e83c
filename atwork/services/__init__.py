"""`atwork service`: create a service's repository and service file, and check existing repositories."""
