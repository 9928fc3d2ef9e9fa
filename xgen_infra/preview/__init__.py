"""What a change does to each customer's stack, as one comment for a merge request."""
