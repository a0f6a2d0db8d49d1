"""How Seq-KD's gain over the baseline depends on the number of updates."""
