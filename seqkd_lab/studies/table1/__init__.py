"""Table 1 of Kim & Rush (2016): all rows over several seeds, the findings F1 to F6, and the
tour."""
