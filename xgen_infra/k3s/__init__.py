"""An existing K3s cluster by kubeconfig, and the data services in it."""

from xgen_infra.k3s.assemble import build

__all__ = ["build"]
