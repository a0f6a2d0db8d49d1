"""One module a command: `add` describes its options, `run` does it. A new module here is a new
command."""
