"""A customer's runbook: from the stack's outputs alone to pages, a drawing, and checks that can be run."""
