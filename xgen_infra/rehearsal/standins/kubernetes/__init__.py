"""The `kubernetes` stand-in: what programs rely on of pulumi-kubernetes, on a real API server and with real Helm."""
