"""TIP: training on the tokens that matter most."""
