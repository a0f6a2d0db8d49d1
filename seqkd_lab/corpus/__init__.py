"""What goes in: sentences, vocabularies, batches, and the toy language."""
