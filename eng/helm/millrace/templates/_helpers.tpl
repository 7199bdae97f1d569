{{- define "millrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "millrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "millrace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "millrace.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "millrace.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- /* What a release's pods have in common. No version: a new chart that changes nothing of a pod restarts none. */ -}}
{{- define "millrace.instance" -}}
app.kubernetes.io/name: {{ include "millrace.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "millrace.selector" -}}
{{ include "millrace.instance" . }}
app.kubernetes.io/component: broker
{{- end -}}

{{- define "millrace.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}

{{- define "millrace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "millrace.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Nobody but the program's own user, nothing of the kernel's, and nothing to write to. */ -}}
{{- define "millrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* A whole number as it was written: Helm reads one of seven digits and more as 1e+06. */ -}}
{{- define "millrace.value" -}}
{{- if kindIs "float64" . }}{{ if eq . (floor .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{- /* What pods have of their own, and one value for all of them would break. */ -}}
{{- define "millrace.settings" -}}
{{- range $key := list "node.id" "broker.id" "broker.rack" "listeners" "advertised.listeners" "inter.broker.listener.name" "millrace.internal.listener" "millrace.http.listener" "millrace.node.name" "millrace.store" "millrace.wal" "millrace.data.dir" "log.dirs" "log.dir" }}
{{- if hasKey $.Values.config $key }}
{{- fail (printf "config.%s: the chart sets it for each pod, or it makes no sense for pods that keep nothing. Take it away (the bucket is store.uri)." $key) }}
{{- end }}
{{- end }}
{{- $own := dict
  "millrace.store" (required "store.uri names the bucket that is the cluster: --set store.uri='s3://BUCKET/PREFIX?region=NAME'" .Values.store.uri)
  "millrace.wal" "object"
  "listeners" "PLAINTEXT://:9092"
  "advertised.listeners" "PLAINTEXT://$(POD_IP):9092"
  "millrace.internal.listener" ":9093"
  "millrace.http.listener" ":9464"
}}
{{- if .Values.rack.fromZone }}
{{- $_ := set $own "broker.rack" "$(ZONE)" }}
{{- end }}
{{- range $key, $value := merge $own .Values.config }}
- --set
- {{ printf "%s=%s" $key (include "millrace.value" $value) | quote }}
{{- end }}
{{- end -}}

{{- /* The drain, the stop (millrace.stop.limit.ms, 20 s by default), and some. */ -}}
{{- define "millrace.graceSeconds" -}}
{{- $stop := index .Values.config "millrace.stop.limit.ms" | default 20000 | int64 -}}
{{- add .Values.drain.seconds (div (add $stop 999) 1000) 10 -}}
{{- end -}}
