"""What every environment is held to at each preview and update: rules as functions, and their pack."""
