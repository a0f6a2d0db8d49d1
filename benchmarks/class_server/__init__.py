"""A class on a JupyterHub, measured on this machine: `python -m benchmarks.class_server --help`."""
