"""What was asked: a study a module or folder, found by its name, each with its claims."""
