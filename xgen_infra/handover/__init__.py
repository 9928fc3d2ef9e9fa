"""From releases that Pulumi owns to Applications that Argo CD owns, while every pod runs on."""

from xgen_infra.handover.run import Handover, HandoverError

__all__ = ["Handover", "HandoverError"]
