"""Who ran what: recipes, the store, the scheduler, Table 1 and the tour."""
