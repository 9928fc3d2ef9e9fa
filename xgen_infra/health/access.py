"""A client for a site's cluster: by the stack's own output, or as kubectl would reach it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3
import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from xgen_infra.engine import Engine, EngineError
from xgen_infra.site import Site


class UnreachableError(Exception):
    """The cluster, or the way to it, is not there."""


@contextmanager
def cluster(site: Site, kubeconfig: Path | None, engine: Engine) -> Iterator[client.ApiClient]:
    """Yield a client for a site's cluster; what it fails at inside the block becomes an UnreachableError.

    A K3s cluster is reached by KUBECONFIG (or the default file) and the file's context; an EKS cluster by the
    stack's output `kubeconfig`, which calls `aws eks get-token`. `kubeconfig` names another file, whose current
    context is taken.
    """
    with tempfile.TemporaryDirectory(prefix="xgen-") as folder:
        file, context = str(kubeconfig) if kubeconfig else None, None
        if file is None and site.k3s:
            context = site.k3s.context
        elif file is None:
            file = _from_outputs(site, engine, Path(folder))
        try:
            api = config.new_client_from_config(file, context)
            with api:
                yield api
        except (config.ConfigException, yaml.YAMLError) as error:
            raise UnreachableError(f"the kubeconfig of {site.stack} cannot be used: {error}") from None
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"the cluster of {site.stack} does not answer: {error}") from None
        except ApiException as error:
            raise UnreachableError(f"the cluster of {site.stack} refuses: {_said(error)}") from None


def _from_outputs(site: Site, engine: Engine, folder: Path) -> str:
    try:
        text = engine.outputs(site.stack, show_secrets=True).get("kubeconfig")
    except (EngineError, OSError) as error:
        raise UnreachableError(
            f"the stack's output kubeconfig cannot be read: {error}. Log in to the state backend, or name a "
            "kubeconfig by --kubeconfig"
        ) from None
    if not text:
        raise UnreachableError(f"the stack {site.stack} has no output kubeconfig yet: pulumi up makes it")
    path = folder / "kubeconfig"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(str(text))
    return str(path)


def _said(error: ApiException) -> str:
    try:
        return str(yaml.safe_load(error.body or "")["message"])
    except (yaml.YAMLError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
