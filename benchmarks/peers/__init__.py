"""What people would use instead of the lab, each in an environment of its own (python -m
benchmarks.peers.setup)."""
