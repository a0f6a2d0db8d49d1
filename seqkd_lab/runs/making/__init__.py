"""The makers: each turns a recipe, and what the store has of all that it builds on, into one
thing."""
