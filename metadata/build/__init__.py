"""Build the model from documents of the right shape: one module per family of kinds. Finds nothing wrong, raises nothing."""
