"""IAM: roles, policies, users, access keys, identity providers."""
