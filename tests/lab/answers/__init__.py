"""Wrong and right answers to the exercises, a module a lesson; see test_exercise_answers.py."""
