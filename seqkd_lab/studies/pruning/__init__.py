"""Table 3 of Kim & Rush (2016): pruning, with retraining and in 8 bits."""
