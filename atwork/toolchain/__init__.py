"""Programs that are built from Go modules where a machine has no prebuilt ones."""
