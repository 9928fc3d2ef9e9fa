{{/*
Labels by which pods are selected: nothing that an upgrade changes, for a selector is immutable.
*/}}
{{- define "xgen-service.selectorLabels" -}}
{{- if .Values.selectorLabels -}}
{{ toYaml .Values.selectorLabels }}
{{- else -}}
{{ include "xgen-service.identity" . }}
{{- end -}}
{{- end }}

{{- define "xgen-service.identity" -}}
app.kubernetes.io/name: {{ .Values.name | quote }}
app.kubernetes.io/instance: {{ .Values.name | quote }}
{{- end }}

{{/*
Labels of the pods. A chart's new version does not change them, so it does not roll the pods by itself.
*/}}
{{- define "xgen-service.podLabels" -}}
{{- $ours := dict "app.kubernetes.io/part-of" .Values.global.registry.project "xgen/service" .Values.name "xgen/site" .Values.site -}}
{{- $identity := include "xgen-service.identity" . | fromYaml -}}
{{ toYaml (merge (dict) (.Values.selectorLabels | default dict) $identity $ours (.Values.labels | default dict)) }}
{{- end }}

{{/*
Labels of every object.
*/}}
{{- define "xgen-service.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "xgen-service.podLabels" . }}
{{- end }}

{{- define "xgen-service.image" -}}
{{- $registry := .Values.global.registry -}}
{{- $made := printf "%s/%s/%s/%s" $registry.host $registry.project $registry.site .Values.name -}}
{{- $repository := default $made .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" $repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" $repository .Values.image.tag }}
{{- end -}}
{{- end }}

{{- define "xgen-service.pullPolicy" -}}
{{ ternary "IfNotPresent" "Always" (ne .Values.image.digest "") }}
{{- end }}

{{- define "xgen-service.serviceAccountName" -}}
{{ default (ternary .Values.name "default" .Values.serviceAccount.create) .Values.serviceAccount.name | quote }}
{{- end }}

{{/*
The ConfigMap's data: the file's environment and the resources' outputs.
*/}}
{{- define "xgen-service.env" -}}
{{ toYaml (merge (dict) (.Values.env | default dict) ((.Values.outputs).env | default dict)) }}
{{- end }}

{{/*
The environment of a container, the same for the service and for what prepares its .env file.
*/}}
{{- define "xgen-service.containerEnv" -}}
envFrom:
  - configMapRef:
      name: {{ printf "%s-env" .Values.name | quote }}
{{- with .Values.secretEnv }}
env:
  {{- range $variable, $from := . }}
  - name: {{ $variable | quote }}
    valueFrom:
      secretKeyRef:
        name: {{ $from.secret | quote }}
        key: {{ $from.key | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "xgen-service.containerSecurityContext" -}}
{{- with .Values.podSecurity -}}
allowPrivilegeEscalation: {{ .allowPrivilegeEscalation }}
readOnlyRootFilesystem: {{ .readOnlyRootFilesystem }}
capabilities:
  drop: {{ toJson .dropCapabilities }}
  {{- with .addCapabilities }}
  add: {{ toJson . }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
One probe from (dict "probe" … "defaults" …): HTTP GET of path, or a TCP connection.
*/}}
{{- define "xgen-service.probe" -}}
{{- $probe := merge (dict) .probe .defaults -}}
{{- if $probe.path -}}
httpGet:
  path: {{ $probe.path | quote }}
  port: http
{{- else -}}
tcpSocket:
  port: http
{{- end }}
{{ toYaml (omit $probe "path" "tcp") }}
{{- end }}

{{/*
A NetworkPolicy's ports from a list of numbers; nothing where the list is empty, which means every port.
*/}}
{{- define "xgen-service.policyPorts" -}}
{{- with . -}}
ports:
  {{- range . }}
  - { port: {{ . }}, protocol: TCP }
  {{- end }}
{{- end }}
{{- end }}
