"""The commands of `fieldstone`: one module per family, each with `add(subparsers)` and `run(args) -> int`."""
