"""PACED: sentences weighted by how often the student passes."""
