"""What learns: the Seq2Seq interface, its LSTM, and checkpoints."""
