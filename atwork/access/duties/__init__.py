"""What every identity of the platform does: each duty is an identity, API methods and a resource."""
