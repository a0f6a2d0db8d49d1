"""How fast the lab is: beside this machine's limit, and beside what people would use instead.

`python -m benchmarks` from the repository's root; README.md says what each number means. Everything
that a peer's own environment loads (corpus, tool, worker, peers/) uses the standard library and
torch only, and never seqkd_lab.
"""
