{{/* The name of everything in a release: "beatd" for a release of that name, else RELEASE-beatd. */}}
{{- define "beatd.name" -}}
{{- if contains "beatd" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-beatd" .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "beatd.selector" -}}
app.kubernetes.io/name: beatd
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "beatd.labels" -}}
{{ include "beatd.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* The port of http.bind. */}}
{{- define "beatd.port" -}}
{{- last (splitList ":" .Values.config.http.bind) -}}
{{- end -}}

{{- define "beatd.scheme" -}}
{{- if .Values.config.http.tls }}HTTPS{{ else }}HTTP{{ end -}}
{{- end -}}
