{{/*
What contradicts itself across values, which the schema cannot say.
*/}}
{{- define "xgen-service.checks" -}}
{{- $outputs := (.Values.outputs).env | default dict -}}
{{- $sources := dict "env" (.Values.env | default dict) "outputs.env" $outputs "secretEnv" (.Values.secretEnv | default dict) -}}
{{- range $pair := list (list "env" "outputs.env") (list "env" "secretEnv") (list "outputs.env" "secretEnv") -}}
{{- range $key, $_ := get $sources (first $pair) -}}
{{- if hasKey (get $sources (last $pair)) $key -}}
{{- fail (printf "%s: in both %s and %s; a variable has one owner: remove it from one of them" $key (first $pair) (last $pair)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.dotenv.enabled -}}
{{- range .Values.dotenv.keys -}}
{{- if not (or (hasKey $sources.env .) (hasKey (get $sources "outputs.env") .) (hasKey $sources.secretEnv .)) -}}
{{- fail (printf "dotenv.keys: %s is in none of env, outputs.env and secretEnv" .) -}}
{{- end -}}
{{- if regexMatch "[\\r\\n]|\\$\\{" (printf "%s%s" (get $sources.env .) (get $outputs .)) -}}
{{- fail (printf "%s: a value with a line break or '${' cannot go into %s" . $.Values.dotenv.path) -}}
{{- end -}}
{{- end -}}
{{- if not .Values.dotenv.keys -}}
{{- fail "dotenv: enabled, but keys names no variable" -}}
{{- end -}}
{{- end -}}
{{- if le (int .Values.terminationGracePeriodSeconds) (int .Values.preStopSleepSeconds) -}}
{{- fail (printf "terminationGracePeriodSeconds %v leaves no time after preStopSleepSeconds %v" .Values.terminationGracePeriodSeconds .Values.preStopSleepSeconds) -}}
{{- end -}}
{{- end }}
