"""What Google Cloud offers and refuses: `tables` reads the files in `data`, the other modules are the rules."""
