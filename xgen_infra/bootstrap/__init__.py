"""What must exist in a site's AWS account before its first `up`."""

from xgen_infra.bootstrap.make import Bootstrap, BootstrapError, Made, Runner

__all__ = ["Bootstrap", "BootstrapError", "Made", "Runner"]
