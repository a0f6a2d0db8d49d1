"""What lesson 05 shows: greedy and beam search as a game, as a tree, over K, and whose fault a mistake is."""
