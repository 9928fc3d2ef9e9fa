"""Rotation of the document bucket's access key, in stages that can be interrupted and run again."""

from xgen_infra.rotation.errors import RotationError
from xgen_infra.rotation.pods import ClusterPods
from xgen_infra.rotation.stack import EngineStack
from xgen_infra.rotation.stages import Rotation

__all__ = ["ClusterPods", "EngineStack", "Rotation", "RotationError"]
