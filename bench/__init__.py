"""Ratios that the documentation quotes, each measured in one run: `make bench`."""
