"""Build the model from documents of the right shape: one module per family. Finds nothing wrong, raises nothing."""
