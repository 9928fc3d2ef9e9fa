"""What every stack keeps to: a Pulumi policy pack. `rules` are plain functions; `__main__` hands them to the engine."""
