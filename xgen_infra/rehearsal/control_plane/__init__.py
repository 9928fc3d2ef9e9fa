"""A real Kubernetes control plane on this machine, with simulated nodes, volumes and load balancers."""

from xgen_infra.rehearsal.control_plane.nodes import Node, spread
from xgen_infra.rehearsal.control_plane.plane import TOOLS, ControlPlane, start

__all__ = ["TOOLS", "ControlPlane", "Node", "spread", "start"]
