"""What is left: pruning by magnitude, sparse files and kernels, 8-bit weights."""
