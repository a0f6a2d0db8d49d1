"""Students that learn along their own words (GKD): validity and coverage by divergence and
author."""
