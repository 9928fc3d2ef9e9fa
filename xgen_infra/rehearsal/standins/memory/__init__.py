"""A cluster and an AWS in the stand-ins' own process: no API server, no port, nothing outlives the process."""
