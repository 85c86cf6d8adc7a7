"""The built-in plugins, each written as an outside developer would write it."""
