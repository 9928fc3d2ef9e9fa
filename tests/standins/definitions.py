"""Argo CD's kinds on an API server: the definitions of the very module that the rehearsal runs."""

from __future__ import annotations

import yaml

from xgen_infra.rehearsal.control_plane.api import Api
from xgen_infra.rehearsal.gitops.start import MODULE
from xgen_infra.rehearsal.observe import until
from xgen_infra.rehearsal.tools import module_dir

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS = 60


def define_argo_cd(api: Api) -> None:
    """Define Argo CD's kinds and wait until the server serves them."""
    for file in ("application-crd.yaml", "appproject-crd.yaml"):
        text = (module_dir("argocd", MODULE) / "manifests" / "crds" / file).read_text()
        definition = yaml.load(text, Loader=yaml.CSafeLoader)
        where, spec = f"{_CRDS}/{definition['metadata']['name']}", definition["spec"]
        api.apply(where, definition)
        served = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
        assert until(lambda served=served: api.ready(served), _SECONDS), served
