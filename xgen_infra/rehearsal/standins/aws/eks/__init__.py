"""EKS: clusters and node groups on the emulator; add-ons, access and pod identities in the store."""
