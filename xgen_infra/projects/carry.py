"""One environment of an older file as answers, values and secrets of a customer's file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from xgen_infra import catalog, environment
from xgen_infra.findings import KeyPath, keeps_secret
from xgen_infra.outline import Expectation, at, keys_of, suggestion
from xgen_infra.projects.ledger import Ledger, leaves
from xgen_infra.projects.model import Pair
from xgen_infra.site import Site
from xgen_infra.yamlfile import Document

_S3 = re.compile(r"https?://s3[.-](?P<region>[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9])\.amazonaws\.com(\.cn)?/?")
_ECR = re.compile(r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")
_OWN_CLUSTER = "https://kubernetes.default.svc"
_BUCKETS = ("S3_BUCKET", "S3_DOCUMENT_BUCKET", "MINIO_DOCUMENT_BUCKET")
_SECRETS: dict[KeyPath, str] = {
    ("postgres", "password"): "postgresPassword",
    ("redis", "password"): "redisPassword",
    ("qdrant", "apiKey"): "qdrantApiKey",
    ("minio", "accessKey"): "minioAccessKey",
    ("minio", "secretKey"): "minioSecretKey",
}
_MADE = {"accessKey.id": "minioAccessKey", "accessKey.secret": "minioSecretKey"}
"""What stands in the place of these secrets on EKS, where the program makes the key."""


@dataclass
class Carried:
    """What one environment says. `places` leads from a place of the site to where its value stands in the old file."""

    answers: dict[str, Any] = field(default_factory=dict)
    site: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    places: dict[KeyPath, KeyPath] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)
    """What APP_SITE and the bucket are called where nobody says otherwise."""
    later: dict[str, KeyPath] = field(default_factory=dict)
    """Variables of which the finished site says whether they follow from it."""


class Carrier:
    """Carries one environment of a document over, noting in the ledger what became of each value."""

    def __init__(self, document: Document, ledger: Ledger, vendor_host: str, flags: dict[str, Any]) -> None:
        self._document = document
        self._data = document.data
        self._ledger = ledger
        self._vendor_host = vendor_host
        self._flags = flags

    def carry(self, pair: Pair, site: str) -> Carried:
        """Return what the environment says. The flags decide the kind of cluster where they name one."""
        made = Carried()
        endpoint = str(self._get("infra", "minio", "endpoint") or "")
        made.answers["kind"] = self._flags.get("kind") or ("eks" if _S3.fullmatch(endpoint) else "k3s")
        self._name(made, pair, site)
        self._source(made)
        self._destination(made, pair)
        self._registry(made)
        self._infra(made, endpoint)
        self._variables(made)
        self._services(made, pair.environment)
        return made

    def _get(self, *path: str) -> Any:
        data: Any = self._data
        for key in path:
            data = data.get(key) if isinstance(data, dict) else None
        return data

    def _has(self, path: KeyPath) -> bool:
        parent = self._get(*map(str, path[:-1]))
        return isinstance(parent, dict) and path[-1] in parent

    def _move(self, made: Carried, path: KeyPath, to: KeyPath, *, answer: str = "") -> None:
        """Carry one value to a place of the site; an empty one says what its absence says."""
        if not self._has(path):
            return
        value = self._get(*map(str, path))
        if value in (None, ""):
            self._ledger.derived(path, "empty: the default holds")
            return
        self._put(made, path, to, value, answer=answer)

    def _put(self, made: Carried, path: KeyPath, to: KeyPath, value: Any, *, answer: str = "") -> None:
        if answer and answer in self._flags:
            self._ledger.left(path, f"--{answer.replace('_', '-')} says otherwise")
            return
        made.places[to] = path
        self._ledger.carried(path, to)
        if answer:
            made.answers[answer] = value
            return
        part = made.site
        for key in to[:-1]:
            part = part.setdefault(str(key), {})
        part[str(to[-1])] = value

    def _name(self, made: Carried, pair: Pair, site: str) -> None:
        for key, to in (("name", "project"), ("namespace", "namespace")):
            self._move(made, ("project", key), (to,))
        self._move(made, ("project", "description"), ("description",), answer="description")
        if self._has(("site",)):
            made.places["site",] = ("site",)
            self._ledger.carried(("site",), "site")
        if site != pair.stack:
            made.site["site"] = site
        project = made.site.get("project", "xgen")
        made.defaults = {
            "APP_SITE": f"{project}-{site}",
            **dict.fromkeys(_BUCKETS, f"{project}-{pair.stack}"),
        }

    def _source(self, made: Carried) -> None:
        for key, name in (("repoURL", "repo_url"), ("targetRevision", "revision")):
            self._move(made, ("source", key), ("source", key), answer=name)

    def _destination(self, made: Carried, pair: Pair) -> None:
        here: KeyPath = ("destinations", str(pair.destination))
        if not self._has(here):
            return
        server = self._get(*map(str, here), "server")
        if server == _OWN_CLUSTER:
            self._ledger.derived(
                (*here, "server"), "each site's Argo CD runs in the cluster that it deploys to"
            )
        elif self._has((*here, "server")):
            why = "the cluster is reached by a kubeconfig: write its context as cluster.context"
            self._ledger.left((*here, "server"), why)
        self._move(made, (*here, "domain"), ("exposure", "domain"), answer="domain")
        if "domain" in made.answers and "exposure" not in self._flags:
            made.answers["exposure"] = "internal"

    def _registry(self, made: Carried) -> None:
        path: KeyPath = ("registryHost",)
        host = self._get("registryHost")
        if not isinstance(host, str) or not host or host == self._vendor_host:
            if self._has(path):
                self._ledger.derived(path, "the vendor's registry, which holds for everybody")
            return
        ecr = _ECR.fullmatch(host)
        if "registry" in self._flags:
            self._ledger.left(path, "--registry says otherwise")
        elif ecr:
            made.answers["registry"] = "ecr"
            for key in ("account", "region"):
                made.site.setdefault("registry", {})[key] = ecr[key]
                made.places["registry", key] = path
            self._ledger.carried(path, "registry")
        else:
            local = host.startswith("localhost") and made.answers["kind"] == "k3s"
            made.answers["registry"] = "local" if local else "nexus"
            self._put(made, path, ("registry", "host"), host, answer="registry_host")

    def _infra(self, made: Carried, endpoint: str) -> None:
        for service in ("postgres", "redis", "qdrant"):
            expected = at(Site, {}, ("infra", service))
            for key in self._keys(expected):
                answer = f"{service}_host" if key == "host" else ""
                self._move(made, ("infra", service, key), ("infra", service, key), answer=answer)
        s3 = _S3.fullmatch(endpoint)
        path: KeyPath = ("infra", "minio", "endpoint")
        if s3 and made.answers["kind"] == "eks":
            if "region" not in self._flags:
                made.answers["region"] = s3["region"]
                made.places["cluster", "region"] = path
            made.later["MINIO_ENDPOINT"] = path
        else:
            self._move(made, path, path, answer="object_store")
        for below, secret in _SECRETS.items():
            where: KeyPath = ("infra", *below)
            if self._has(where) and self._get(*map(str, where)):
                self._secret(made, where, secret)

    def _keys(self, expected: tuple[Expectation, ...]) -> Iterator[str]:
        for item in expected:
            yield from keys_of(item.model) if item.model else ()

    def _secret(self, made: Carried, path: KeyPath, secret: str) -> None:
        if made.answers["kind"] == "eks" and secret.startswith("minio"):
            self._ledger.left(path, "on EKS the program makes the key of the bucket, and replaces it")
            return
        made.secrets[secret] = self._document.written(path) or ""
        self._ledger.carried(path, f"xgen-infra:{secret}, encrypted")

    def _variables(self, made: Carried) -> None:
        sources = {one.name: one.source for one in _wired(made)}
        for name in self._get("vars") or {}:
            path: KeyPath = ("vars", name)
            value = "" if self._get("vars", name) is None else self._document.written(path) or ""
            if sources.get(name) in {*_SECRETS.values(), *_MADE}:
                self._secret(made, path, _MADE.get(sources[name], sources[name]))
            elif name == "APP_SITE" or name in sources:
                self._known_variable(made, name, path, value)
            elif keeps_secret(name):
                why = "a secret may not stand in plain text: hand it to the service by a Secret of its own"
                self._ledger.left(path, why)
            else:
                self._put(made, path, ("vars", name), value)

    def _known_variable(self, made: Carried, name: str, path: KeyPath, value: str) -> None:
        made.later[name] = path
        if value == made.defaults.get(name):
            return
        if name == "APP_SITE" and value:
            made.site["appSite"] = value
            made.places["appSite",] = path
        elif name == "AWS_REGION" and made.answers["kind"] == "eks" and value and "region" not in self._flags:
            made.answers["region"] = value
            made.places["cluster", "region"] = path
        elif name in _BUCKETS and value:
            bucket = made.site.setdefault("cluster", {}).setdefault("bucket", {})
            bucket.setdefault("name", value)
            made.places.setdefault(("cluster", "bucket", "name"), path)

    def _services(self, made: Carried, name: str) -> None:
        for index, service in enumerate(self._get("environments", name, "services")):
            path: KeyPath = ("environments", name, "services", index)
            called = service["name"]
            if called not in catalog.NAMES:
                self._ledger.left(path, f"the platform has six services: {', '.join(catalog.NAMES)}")
                continue
            to: KeyPath = ("services", called)
            self._ledger.carried((*path, "name"), to)
            made.places[to] = path
            made.site.setdefault("services", {})[called] = self._override(service, path, to)

    def _override(self, value: Any, path: KeyPath, to: KeyPath) -> Any:
        """Return what the models know of a service's values, all else being left to the ledger."""
        models = [item.model for item in at(Site, {}, to) if item.model]
        if not models or not isinstance(value, dict):
            self._ledger.carried(path, to)
            return value
        names = {name for model in models for name in keys_of(model)}
        for key in value:
            meant = "" if key in {*names, "name"} else suggestion(Site, {}, to, key)
            if meant:
                self._ledger.left((*path, key), f"the unknown key '{key}': did you mean '{meant}'?")
        known = [key for key in value if key in names]
        return {key: self._override(value[key], (*path, key), (*to, key)) for key in known}


def _wired(made: Carried) -> tuple[environment.Variable, ...]:
    """Return the variables that the program wires on this kind of cluster: their names and sources."""
    kinds: dict[str, Any] = {
        "eks": {"kind": "eks", "account": "0" * 12, "region": "us-east-1", "vpcCidr": "10.0.0.0/16"},
        "k3s": {"kind": "k3s"},
    }
    site = {"cluster": kinds[made.answers["kind"]], "source": {"repoURL": "http://a.example/b.git"}}
    names = {"stack": "a", "site": "a", "appSite": "a", "registry": {"kind": "local"}}
    return environment.wired(Site.model_validate({**names, **site}))


def settle(made: Carried, site: Site, document: Document, ledger: Ledger) -> None:
    """Note what became of the variables that the program wires: the same as before, or something else."""
    wired = {one.name: one for one in environment.wired(site)}
    for name, path in made.later.items():
        variable = wired[name]
        before, now = (document.written(path) or "").rstrip("/"), variable.value or ""
        source = " or ".join(variable.paths) or variable.source
        if before == now and path in made.places.values():
            to = next(to for to, place in made.places.items() if place == path)
            ledger.carried(path, to)
        elif before == now:
            ledger.derived(path, f"it comes from {source}")
        elif not before:
            ledger.derived(path, f"empty: it is '{now}', from {source}")
        else:
            ledger.left(path, f"it is '{now}' in stack {site.stack}, from {source}: change that, or leave it")


def unused(document: Document, used: set[str], ledger: Ledger) -> None:
    """Note the destinations to which no chosen environment goes."""
    for name in document.data.get("destinations") or {}:
        if name not in used:
            for leaf in leaves(document.data["destinations"][name], ("destinations", name)):
                ledger.left(leaf, "no environment that is imported goes there")


def vendor_host(vendor: Any) -> str:
    """Return the host of the registry that Pulumi.yaml names for everybody; empty where it names none."""
    registry = vendor.get("registry") if isinstance(vendor, dict) else None
    return str(registry.get("host", "")) if isinstance(registry, dict) else ""
