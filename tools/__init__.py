"""Small programs that write the tables and pins of the project."""
