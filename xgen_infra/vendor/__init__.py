"""The vendor's side: what Jenkins builds for whom, derived from the customers' files."""
