"""The argo-cd chart of a rehearsal, packed from the manifests in Argo CD's pinned module.

It reads the same values as the published chart, as far as this program sets them: what these values say is in the
installed ConfigMaps, Secrets and permissions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from xgen_infra.rehearsal.tools import module_dir

_OPTIONAL = {
    "argocd-dex-server": ".Values.dex.enabled",
    "argocd-notifications": ".Values.notifications.enabled",
    "argocd-applicationset": "(gt (int .Values.applicationSet.replicas) 0)",
}
"""What is installed only where a value asks for it, by the beginning of its name."""
_DATA = {
    "argocd-cm": "{{- range $key, $value := .Values.configs.cm }}\n  {{ $key }}: {{ $value | quote }}\n{{- end }}",
    "argocd-cmd-params-cm": (
        "{{- range $key, $value := .Values.configs.params }}\n  {{ $key }}: {{ $value | quote }}\n{{- end }}"
    ),
    "argocd-rbac-cm": (
        "{{- range $key, $value := (.Values.configs.rbac | default dict) }}\n"
        "  {{ $key }}: {{ $value | quote }}\n{{- end }}"
    ),
    "argocd-tls-certs-cm": (
        "{{- range $key, $value := ((.Values.configs.tls | default dict).certificates | default dict) }}\n"
        "  {{ $key }}: {{ $value | quote }}\n{{- end }}"
    ),
    "argocd-ssh-known-hosts-cm": (
        '\n  ssh_known_hosts: {{ (.Values.configs.ssh | default dict).extraHosts | default "" | quote }}'
    ),
    "argocd-notifications-cm": (
        "{{- range $key, $value := merge (dict) (.Values.notifications.notifiers | default dict)"
        " (.Values.notifications.templates | default dict) (.Values.notifications.triggers | default dict) }}\n"
        "  {{ $key }}: {{ $value | quote }}\n{{- end }}"
        "\n  context: {{ (.Values.notifications.context | default dict) | toYaml | quote }}"
        "\n  subscriptions: {{ (.Values.notifications.subscriptions | default list) | toYaml | quote }}"
    ),
}
_CLUSTERS = """\
{{- range $name, $cluster := .Values.configs.clusterCredentials }}
---
apiVersion: v1
kind: Secret
metadata:
  name: argocd-cluster-{{ $name }}
  labels: {argocd.argoproj.io/secret-type: cluster}
stringData:
  name: {{ $name | quote }}
  server: {{ $cluster.server | quote }}
  {{- with $cluster.namespaces }}
  namespaces: {{ . | quote }}
  {{- end }}
  config: {{ $cluster.config | toJson | quote }}
{{- end }}
"""
_WHOLE_CLUSTER = ("ClusterRole", "ClusterRoleBinding")


def write(place: Path) -> None:
    """Write `crds/` and `templates/` of the chart in `place`."""
    manifests = module_dir("argocd", "github.com/argoproj/argo-cd/v3") / "manifests"
    for folder in ("crds", "templates"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    for document in yaml.load_all((manifests / "install.yaml").read_text(), Loader=yaml.CSafeLoader):
        if not document:
            continue
        kind, name = document["kind"], document["metadata"]["name"]
        file = f"{kind.lower()}-{name.replace(':', '-')}.yaml"
        if kind == "CustomResourceDefinition":
            (place / "crds" / file).write_text(yaml.dump(document, Dumper=yaml.CSafeDumper))
        else:
            (place / "templates" / file).write_text(_template(document, kind, name))
    (place / "templates" / "clusters.yaml").write_text(_CLUSTERS)


def _template(document: dict[str, Any], kind: str, name: str) -> str:
    text = yaml.dump(document, Dumper=yaml.CSafeDumper).replace("{{", "{{ `{{` }}")
    if kind == "ConfigMap" and name in _DATA:
        document.pop("data", None)
        text = yaml.dump(document, Dumper=yaml.CSafeDumper) + f"data: {_DATA[name]}\n"
    conditions = [".Values.createClusterRoles"] if kind in _WHOLE_CLUSTER else []
    conditions += [value for start, value in _OPTIONAL.items() if name.startswith(start)]
    for condition in conditions:
        text = f"{{{{- if {condition} }}}}\n{text}{{{{- end }}}}\n"
    return text
