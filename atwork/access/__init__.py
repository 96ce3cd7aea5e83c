"""Who may do what: IAM bindings, role definitions, and the answers that follow from them."""
