{{- define "perch.name" -}}
{{- if contains "perch" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-perch" .Release.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "perch.selector" -}}
app.kubernetes.io/name: perch
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "perch.labels" -}}
{{ include "perch.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "perch.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* The name of the Secret, or nothing: one node can do without Redis. */ -}}
{{- define "perch.secret" -}}
{{- if .Values.existingSecret }}{{ .Values.existingSecret }}
{{- else if .Values.secret.redisUrl }}{{ include "perch.name" . }}
{{- else if gt (int .Values.replicas) 1 }}{{ fail "several nodes need Redis: set existingSecret, or secret.redisUrl and secret.secret" }}
{{- end }}
{{- end }}

{{- define "perch.config" -}}
{{- $own := dict "listen" "0.0.0.0:8080" "admin-listen" "0.0.0.0:9090" "drain-time" (printf "%ds" (int .Values.drainSeconds)) -}}
{{- merge $own .Values.config | toYaml -}}
{{- end }}
