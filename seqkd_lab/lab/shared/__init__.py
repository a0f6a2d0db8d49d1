"""What all lessons share: pictures, views, exercises, predictions, and what a notebook needs around
its subject."""
