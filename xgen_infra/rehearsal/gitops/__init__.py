"""GitOps in a rehearsal: the customer's Git server, and Argo CD's own programs in place of its containers."""

from xgen_infra.rehearsal.gitops.start import GitOps, start

__all__ = ["GitOps", "start"]
