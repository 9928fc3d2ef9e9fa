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
    context = site.k3s.context if site.k3s and not kubeconfig else None
    text = None if kubeconfig or site.k3s else kubeconfig_of(site.stack, engine)
    with reached(site.stack, kubeconfig, context, text) as api:
        yield api


@contextmanager
def reached(
    name: str, kubeconfig: Path | None = None, context: str | None = None, text: str | None = None
) -> Iterator[client.ApiClient]:
    """Yield a client by a kubeconfig: its text, else its file, else the one that kubectl would take.

    `name` is what messages call the cluster. What fails inside the block becomes an UnreachableError.
    """
    with tempfile.TemporaryDirectory(prefix="xgen-") as folder:
        file = _written(text, Path(folder)) if text else str(kubeconfig) if kubeconfig else None
        try:
            api = config.new_client_from_config(file, context)
            with api:
                yield api
        except (config.ConfigException, yaml.YAMLError) as error:
            where = f" ({kubeconfig})" if kubeconfig else ""
            raise UnreachableError(f"the kubeconfig of {name}{where} cannot be used: {error}") from None
        except urllib3.exceptions.HTTPError as error:
            raise UnreachableError(f"the cluster of {name} does not answer: {error}") from None
        except ApiException as error:
            raise UnreachableError(f"the cluster of {name} refuses: {said(error)}") from None


def kubeconfig_of(stack: str, engine: Engine) -> str:
    """Return the kubeconfig that is an output of a stack; raises UnreachableError where there is none to read."""
    try:
        text = engine.outputs(stack, show_secrets=True).get("kubeconfig")
    except (EngineError, OSError) as error:
        raise UnreachableError(
            f"the stack's output kubeconfig cannot be read: {error}. Log in to the state backend, or name a "
            "kubeconfig by --kubeconfig"
        ) from None
    if not text:
        raise UnreachableError(f"the stack {stack} has no output kubeconfig yet: pulumi up makes it")
    return str(text)


def _written(text: str, folder: Path) -> str:
    path = folder / "kubeconfig"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    return str(path)


def said(error: ApiException) -> str:
    """Return why the API server refused, in its own words."""
    try:
        return str(yaml.safe_load(error.body or "")["message"])
    except (yaml.YAMLError, KeyError, TypeError):
        return f"{error.status} {error.reason}"
