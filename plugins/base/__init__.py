"""Built-in field types, functions, actions, approvers and screens: one file per thing."""
