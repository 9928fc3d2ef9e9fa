"""Third-party charts for a rehearsal, packed at run time: their repositories are on the internet.

Argo CD's is packed from the manifests in its pinned module; a controller that only talks to AWS becomes one
Deployment with the values it was given. The report calls them simulated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import yaml

from xgen_infra.rehearsal.gitops import chart as argocd_chart
from xgen_infra.versions import ARGO_CD, Chart

_CONTROLLER = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ (.Values.serviceAccount | default dict).name | default .Release.Name }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-values
data:
  values.yaml: {{ .Values | toYaml | quote }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/instance: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app.kubernetes.io/instance: {{ .Release.Name }}}
    spec:
      containers:
        - name: controller
          image: rehearsal.invalid/{{ .Chart.Name }}:{{ .Chart.Version }}
          resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 64Mi}}
"""


def pack(charts: Iterable[Chart], folder: Path) -> Path:
    """Write a chart in place of each third-party one, and the JSON file that the kubernetes stand-in reads.

    Returns that file: `{"<repository>|<chart>|<version>": "<folder>"}`.
    """
    table = {}
    for chart in charts:
        place = folder / f"{chart.name}-{chart.version}"
        templates = place / "templates"
        templates.mkdir(parents=True, exist_ok=True)
        metadata = {"apiVersion": "v2", "name": chart.name, "version": chart.version}
        (place / "Chart.yaml").write_text(yaml.safe_dump(metadata))
        if chart.name == ARGO_CD.name:
            argocd_chart.write(place)
        else:
            (templates / "controller.yaml").write_text(_CONTROLLER)
        table[f"{chart.repository}|{chart.name}|{chart.version}"] = str(place)
    listed = folder / "substitutes.json"
    listed.write_text(json.dumps(table, indent=1))
    return listed
