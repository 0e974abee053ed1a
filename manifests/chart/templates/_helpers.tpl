{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- define "ampoule.name" }}app.kubernetes.io/name: ampoule-webhook{{ end }}
{{- define "ampoule.labels" }}{{ include "ampoule.name" . }}
app.kubernetes.io/part-of: ampoule{{ end }}
{{- define "ampoule.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}
{{- define "ampoule.meta" -}}
name: ampoule-webhook
namespace: {{ .Release.Namespace }}
labels: {{- include "ampoule.labels" . | nindent 2 }}
{{- end }}
{{- /* Of the registrations: who writes the authority into them. */ -}}
{{- define "ampoule.registration" -}}
name: ampoule-webhook
labels: {{- include "ampoule.labels" . | nindent 2 }}
{{- if eq .Values.certificates.source "cert-manager" }}
annotations:
  cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/ampoule-webhook
{{- else if eq .Values.certificates.source "openshift" }}
annotations:
  service.beta.openshift.io/inject-cabundle: "true"
{{- end }}
{{- end }}
