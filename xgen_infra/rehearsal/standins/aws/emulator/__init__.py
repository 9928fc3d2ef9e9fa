"""The process that plays AWS: moto's server, with IAM enforced as AWS does."""
