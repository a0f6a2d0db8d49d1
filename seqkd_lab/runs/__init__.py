"""Who ran what: recipes, the store that keeps what they make, the schedule, and the form of a
study."""
