"""Rules of the API server that Kubernetes' schemas lack: refused manifests, and accepted ones.

In a refused manifest, a comment at the end of a line, such as `# wrong_value`, names the code that
is reported there.
"""

import re
from textwrap import indent

import pytest

from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.kubernetes.schemas import KubernetesSchemas
from benchmark_manager.services.texts.kubernetes_schemas import PACKAGE, load_schemas

_EXPECTED = re.compile(r"# ([a-z]+(?:_[a-z]+)+)$")


@pytest.fixture(scope="module")
def schemas() -> KubernetesSchemas:
    return load_schemas(PACKAGE)


def job(
    spec: str = "", pod: str = "restartPolicy: Never", container: str = "", name: str = "run"
) -> str:
    """A Job with more fields in its spec, its pods and its container."""
    return (
        f"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: {name}\nspec:\n{indent(spec, '  ')}\n"
        "  template:\n"
        f"    spec:\n{indent(pod, ' ' * 6)}\n      containers:\n      - name: main\n"
        "        image: example/image:1\n"
        f"{indent(container, ' ' * 8)}\n"
    )


def pod(fields: str) -> str:
    return job(pod=f"restartPolicy: Never\n{fields}")


def container(fields: str) -> str:
    return job(container=fields)


def init_container(fields: str) -> str:
    return pod(f"initContainers:\n- name: first\n  image: example/image:1\n{indent(fields, '  ')}")


def volume(fields: str) -> str:
    return pod(f"volumes:\n- name: data\n{indent(fields, '  ')}")


def indexed(spec: str) -> str:
    return job(f"completionMode: Indexed\ncompletions: 10\n{spec}")


def cron_job(spec: str, job_spec: str = "") -> str:
    return (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: nightly\nspec:\n"
        f"{indent(spec, '  ')}\n"
        f"  jobTemplate:\n"
        f"    spec:\n{indent(job_spec, ' ' * 6)}\n      template:\n        spec:\n"
        "          restartPolicy: Never\n"
        "          containers:\n          - name: main\n            image: example/image:1\n"
    )


def server(kind: str, spec: str, metadata: str = "") -> str:
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata:\n  name: server\n{indent(metadata, '  ')}\n"
        "spec:\n"
        f"{indent(spec, '  ')}\n  selector:\n    matchLabels: {{app: server}}\n  template:\n"
        "    metadata:\n"
        "      labels: {app: server}\n    spec:\n      containers:\n      - name: main\n"
        "        image: example/image:1\n"
    )


def service(spec: str) -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: server\nspec:\n{indent(spec, '  ')}\n"
    )


def claim(spec: str) -> str:
    return (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: data\n"
        f"spec:\n{indent(spec, '  ')}\n"
    )


def settings(kind: str, fields: str) -> str:
    return f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: settings\n{fields}\n"


STORAGE = "accessModes: [ReadWriteOnce]\nresources:\n  requests:\n    storage: 1Gi\n"
LONG_NAME = "a" * 62

REFUSED = {
    # Enumerations.
    "completionMode": job("completionMode: indexed  # wrong_value\ncompletions: 1"),
    "podReplacementPolicy": job("podReplacementPolicy: failed  # wrong_value"),
    "concurrencyPolicy": cron_job('schedule: "0 0 * * *"\nconcurrencyPolicy: Never  # wrong_value'),
    "restartPolicy of a Pod": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        "  restartPolicy: always  # wrong_value\n"
        "  containers: [{name: a, image: b}]\n"
    ),
    "imagePullPolicy": container("imagePullPolicy: always  # wrong_value"),
    "terminationMessagePolicy": container("terminationMessagePolicy: Logs  # wrong_value"),
    "protocol": container("ports:\n- containerPort: 80\n  protocol: tcp  # wrong_value"),
    "toleration's operator": pod("tolerations:\n- key: a\n  operator: Exist  # wrong_value"),
    "toleration's effect": pod(
        "tolerations:\n- key: a\n  operator: Exists\n  effect: NoSchedul  # wrong_value"
    ),
    "dnsPolicy": pod("dnsPolicy: clusterFirst  # wrong_value"),
    "preemptionPolicy": pod("preemptionPolicy: Always  # wrong_value"),
    "os": pod("os:\n  name: Linux  # wrong_value"),
    "mountPropagation": volume("emptyDir: {}").rstrip()
    + "\n        volumeMounts:\n        - name: data\n          mountPath: /data\n"
    "          mountPropagation: Shared  # wrong_value\n",
    "hostPath type": volume("hostPath:\n  path: /data\n  type: Dir  # wrong_value"),
    "medium of an emptyDir": volume("emptyDir:\n  medium: memory  # wrong_value"),
    "pullPolicy of a volume": volume(
        "image:\n  reference: a/b:1\n  pullPolicy: Sometimes  # wrong_value"
    ),
    "scheme": container(
        "livenessProbe:\n  httpGet:\n    port: 80\n    scheme: https  # wrong_value"
    ),
    "seccomp type": container(
        "securityContext:\n  seccompProfile:\n    type: Default  # wrong_value"
    ),
    "AppArmor type": pod(
        "securityContext:\n  appArmorProfile:\n    type: runtime/default  # wrong_value"
    ),
    "fsGroupChangePolicy": pod("securityContext:\n  fsGroupChangePolicy: Never  # wrong_value"),
    "supplementalGroupsPolicy": pod(
        "securityContext:\n  supplementalGroupsPolicy: merge  # wrong_value"
    ),
    "procMount": container("securityContext:\n  procMount: unmasked  # wrong_value"),
    "resizePolicy": container(
        "resizePolicy:\n- resourceName: cpu\n  restartPolicy: Never  # wrong_value\n"
        "- resourceName: gpu  # wrong_value\n  restartPolicy: NotRequired"
    ),
    "whenUnsatisfiable": pod(
        "topologySpreadConstraints:\n- maxSkew: 1\n  topologyKey: zone\n"
        "  whenUnsatisfiable: Schedule  # wrong_value"
    ),
    "nodeTaintsPolicy": pod(
        "topologySpreadConstraints:\n- maxSkew: 1\n  topologyKey: zone\n"
        "  whenUnsatisfiable: DoNotSchedule\n"
        "  nodeTaintsPolicy: honor  # wrong_value"
    ),
    "operator of a node's label": pod(
        "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      nodeSelectorTerms:\n"
        "      - matchExpressions:\n        - key: gpu\n          operator: Equals  # wrong_value\n"
        "          values: [a]"
    ),
    "operator of a pod's label": pod(
        "affinity:\n  podAntiAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "    - topologyKey: kubernetes.io/hostname\n      labelSelector:\n"
        "        matchExpressions:\n"
        "        - key: app\n          operator: Gt  # wrong_value\n          values: ['1']"
    ),
    "action of a failure": job(
        "podFailurePolicy:\n  rules:\n  - action: Fail  # wrong_value\n"
        "    onPodConditions: [{type: DisruptionTarget}]"
    ),
    "operator of exit codes": job(
        "podFailurePolicy:\n  rules:\n  - action: FailJob\n    onExitCodes:\n"
        "      operator: Equal  # wrong_value\n      values: [1]"
    ),
    "strategy": server("Deployment", "strategy:\n  type: Rolling  # wrong_value"),
    "updateStrategy": server("DaemonSet", "updateStrategy:\n  type: Recreate  # wrong_value"),
    "podManagementPolicy": server(
        "StatefulSet", "serviceName: a\npodManagementPolicy: parallel  # wrong_value"
    ),
    "type of a Service": service("type: Internal  # wrong_value\nports: [{port: 80}]"),
    "sessionAffinity": service("sessionAffinity: clientIP  # wrong_value\nports: [{port: 80}]"),
    "externalTrafficPolicy": service(
        "type: NodePort\nexternalTrafficPolicy: local  # wrong_value\nports: [{port: 80}]"
    ),
    "ipFamilyPolicy": service("ipFamilyPolicy: DualStack  # wrong_value\nports: [{port: 80}]"),
    "access mode": claim(STORAGE.replace("[ReadWriteOnce]", "\n- RWO  # wrong_value")),
    "volumeMode": claim(f"volumeMode: block  # wrong_value\n{STORAGE}"),
    # Jobs.
    "backoffLimitPerIndex without indexes": job("backoffLimitPerIndex: 1  # fields_conflict"),
    "maxFailedIndexes without indexes": job(
        "backoffLimitPerIndex: 1  # fields_conflict\nmaxFailedIndexes: 1  # fields_conflict"
    ),
    "successPolicy without indexes": job(
        "successPolicy:  # fields_conflict\n  rules: [{succeededCount: 1}]"
    ),
    "indexes without completions": job("completionMode: Indexed  # fields_conflict"),
    "maxFailedIndexes without a limit": indexed("maxFailedIndexes: 1  # fields_conflict"),
    "more failed indexes than indexes": indexed(
        "backoffLimitPerIndex: 1\nmaxFailedIndexes: 11  # fields_conflict"
    ),
    "too many pods at once": indexed("parallelism: 100001  # wrong_value"),
    "too many pods at once for so many indexes": job(
        "completionMode: Indexed\ncompletions: 100001\nbackoffLimitPerIndex: 1\n"
        "maxFailedIndexes: 10\n"
        "parallelism: 10001  # wrong_value"
    ),
    "too many failed indexes for so many indexes": job(
        "completionMode: Indexed\ncompletions: 100001\nbackoffLimitPerIndex: 1\n"
        "maxFailedIndexes: 10001  # wrong_value"
    ),
    "no bound of failed indexes for so many": job(
        "completionMode: Indexed\ncompletions: 100001\nbackoffLimitPerIndex: 1  # fields_conflict"
    ),
    "too long a name for its pods": job(
        "completionMode: Indexed\ncompletions: 1", name=f"{LONG_NAME}  # job_name_invalid"
    ),
    "a dot in the name of indexed pods": job(
        "completionMode: Indexed\ncompletions: 1", name="a.b  # job_name_invalid"
    ),
    "no rule of success": indexed("successPolicy:  # missing_field\n  rules: []"),
    "a rule of success that says nothing": indexed(
        "successPolicy:\n  rules:\n  - {}  # missing_field"
    ),
    "more successes than indexes": indexed(
        "successPolicy:\n  rules:\n  - succeededCount: 11  # fields_conflict"
    ),
    "more successes than chosen indexes": indexed(
        "successPolicy:\n  rules:\n  - succeededIndexes: 0,2-3\n"
        "    succeededCount: 4  # fields_conflict"
    ),
    "an index too large": indexed(
        "successPolicy:\n  rules:\n  - succeededIndexes: 0-10  # wrong_value"
    ),
    "indexes out of order": indexed(
        "successPolicy:\n  rules:\n  - succeededIndexes: 5,2  # wrong_value"
    ),
    "indexes that are none": indexed(
        'successPolicy:\n  rules:\n  - succeededIndexes: "0 to 3"  # wrong_value'
    ),
    "podFailurePolicy with OnFailure": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n"
        "    onPodConditions: [{type: DisruptionTarget}]",
        pod="restartPolicy: OnFailure  # fields_conflict",
    ),
    "podFailurePolicy with early replacement": job(
        "podReplacementPolicy: TerminatingOrFailed  # fields_conflict\npodFailurePolicy:\n"
        "  rules:\n"
        "  - action: Ignore\n    onPodConditions: [{type: DisruptionTarget}]"
    ),
    "two requirements of one rule": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n"
        "    onExitCodes: {operator: In, values: [1]}\n"
        "    onPodConditions: [{type: DisruptionTarget}]  # fields_conflict"
    ),
    "a rule without a requirement": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore  # missing_field"
    ),
    "FailIndex without a limit": job(
        "podFailurePolicy:\n  rules:\n  - action: FailIndex  # fields_conflict\n"
        "    onExitCodes: {operator: In, values: [1]}"
    ),
    "exit code 0 with In": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n    onExitCodes:\n      operator: In\n"
        "      values:\n"
        "      - 0  # wrong_value\n      - 1"
    ),
    "exit codes out of order": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n    onExitCodes:\n      operator: NotIn\n"
        "      values:\n"
        "      - 3\n      - 1  # wrong_value"
    ),
    "an exit code twice": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n    onExitCodes:\n      operator: NotIn\n"
        "      values:\n"
        "      - 3\n      - 3  # wrong_value"
    ),
    "no exit code": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n    onExitCodes:\n      operator: In\n"
        "      values: []  # wrong_value"
    ),
    "exit codes of an unknown container": job(
        "podFailurePolicy:\n  rules:\n  - action: Ignore\n    onExitCodes:\n      operator: In\n"
        "      values: [1]\n"
        "      containerName: other  # not_declared"
    ),
    "a selector of its own": job("selector:  # fields_conflict\n  matchLabels: {app: a}"),
    "a manual selector that selects nothing of it": job(
        "manualSelector: true\nselector:\n  matchLabels:\n    app: a  # selector_mismatch"
    ),
    "manualSelector without selector": job("manualSelector: true  # missing_field"),
    "managedBy": job("managedBy: kueue  # wrong_value"),
    "generateName": (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: Run_  # name_invalid\nspec:\n"
        "  template:\n"
        "    spec: {restartPolicy: Never, containers: [{name: a, image: b}]}\n"
    ),
    # CronJobs.
    "a schedule of six fields": cron_job('schedule: "0 0 0 * * *"  # schedule_invalid'),
    "minute 60": cron_job('schedule: "60 * * * *"  # schedule_invalid'),
    "Sunday as 7": cron_job('schedule: "0 0 * * 7"  # schedule_invalid'),
    "an unknown word": cron_job('schedule: "@nightly"  # schedule_invalid'),
    "a step of 0": cron_job('schedule: "*/0 * * * *"  # schedule_invalid'),
    "a range that ends first": cron_job('schedule: "0 5-3 * * *"  # schedule_invalid'),
    "a time zone in the schedule": cron_job('schedule: "TZ=UTC 0 0 * * *"  # schedule_invalid'),
    "time zone Local": cron_job('schedule: "0 0 * * *"\ntimeZone: Local  # wrong_value'),
    "a time zone that is none": cron_job(
        'schedule: "0 0 * * *"\ntimeZone: Asia Seoul  # wrong_value'
    ),
    "an abbreviation of a time zone": cron_job(
        'schedule: "0 0 * * *"\ntimeZone: KST  # wrong_value'
    ),
    "a city as a time zone": cron_job('schedule: "0 0 * * *"\ntimeZone: Seoul  # wrong_value'),
    "startingDeadlineSeconds": cron_job(
        'schedule: "0 0 * * *"\nstartingDeadlineSeconds: -1  # negative_number'
    ),
    "a history below 0": cron_job(
        'schedule: "0 0 * * *"\nfailedJobsHistoryLimit: -1  # negative_number'
    ),
    "a selector in a CronJob": cron_job('schedule: "0 0 * * *"', "selector: {}  # fields_conflict"),
    # Containers.
    "a probe of an init container": init_container(
        "livenessProbe:  # fields_conflict\n  exec: {command: [a]}"
    ),
    "a hook of an init container": init_container(
        "lifecycle:  # fields_conflict\n  preStop: {exec: {command: [a]}}"
    ),
    "restartPolicy of an init container": init_container("restartPolicy: always  # wrong_value"),
    "value and valueFrom": container(
        "env:\n- name: A\n  value: b\n  valueFrom:  # fields_conflict\n"
        "    fieldRef: {fieldPath: metadata.name}"
    ),
    "two sources of a variable": container(
        "env:\n- name: A\n  valueFrom:\n    fieldRef: {fieldPath: metadata.name}\n"
        "    secretKeyRef: {name: a, key: b}  # fields_conflict"
    ),
    "no source of a variable": container("env:\n- name: A\n  valueFrom: {}  # missing_field"),
    "a variable with =": container('env:\n- name: "A=b"  # name_invalid\n  value: c'),
    "a variable without a name": container('env:\n- name: ""  # name_invalid\n  value: c'),
    "a variable beyond ASCII": container("env:\n- name: GRÖSSE  # name_invalid\n  value: c"),
    "a field that no variable can have": container(
        "env:\n- name: A\n  valueFrom:\n    fieldRef:\n      fieldPath: status.phase  # wrong_value"
    ),
    "all labels in a variable": container(
        "env:\n- name: A\n  valueFrom:\n    fieldRef:\n"
        "      fieldPath: metadata.labels  # wrong_value"
    ),
    "a resource that no variable can have": container(
        "env:\n- name: A\n  valueFrom:\n    resourceFieldRef:\n"
        "      resource: limits.gpu  # wrong_value"
    ),
    "a divisor of cpu": container(
        "env:\n- name: A\n  valueFrom:\n    resourceFieldRef:\n      resource: limits.cpu\n"
        "      divisor: 1Mi  # wrong_value"
    ),
    "a key with a blank": container(
        "env:\n- name: A\n  valueFrom:\n    secretKeyRef:\n      name: a\n"
        '      key: "a b"  # name_invalid'
    ),
    "a Secret's name": container(
        "env:\n- name: A\n  valueFrom:\n    secretKeyRef:\n      name: My_Secret  # name_invalid\n"
        "      key: a"
    ),
    "no source of variables": container("envFrom:\n- prefix: A_  # missing_field"),
    "variables of an unnamed Secret": container("envFrom:\n- secretRef: {}  # missing_field"),
    "a key of an unnamed Secret": container(
        "env:\n- name: A\n  valueFrom:\n    secretKeyRef: {key: a}  # missing_field"
    ),
    "two sources of variables": container(
        "envFrom:\n- configMapRef: {name: a}\n  secretRef: {name: b}  # fields_conflict"
    ),
    "an image with a blank": job().replace(
        "example/image:1", '"example/image:1 "  # image_invalid'
    ),
    "an image with a blank inside": job().replace(
        "example/image:1", '"example /image:1"  # image_invalid'
    ),
    "port 0": container("ports:\n- containerPort: 0  # wrong_value"),
    "port 65536": container("ports:\n- containerPort: 65536  # wrong_value"),
    "a port below 0": container("ports:\n- containerPort: 80\n  hostPort: -1  # negative_number"),
    "a long port name": container(
        "ports:\n- containerPort: 80\n  name: http-remote-write  # name_invalid"
    ),
    "a port name in capitals": container(
        "ports:\n- containerPort: 80\n  name: HTTP  # name_invalid"
    ),
    "a port name of digits": container(
        'ports:\n- containerPort: 80\n  name: "8080"  # name_invalid'
    ),
    "a port name twice": container(
        "ports:\n- {containerPort: 80, name: http}\n- containerPort: 81\n"
        "  name: http  # duplicate_name"
    ),
    "the node's port twice": container(
        "ports:\n- {containerPort: 80, hostPort: 80}\n- containerPort: 81\n"
        "  hostPort: 80  # duplicate_value"
    ),
    "another port on the node's network": pod("hostNetwork: true").rstrip()
    + "\n        ports:\n        - containerPort: 80\n          hostPort: 81  # fields_conflict\n",
    "a probe without a handler": container("livenessProbe:  # missing_field\n  periodSeconds: 3"),
    "a probe with two handlers": container(
        "livenessProbe:\n  exec: {command: [a]}\n  tcpSocket: {port: 80}  # fields_conflict"
    ),
    "a probe of no command": container("livenessProbe:\n  exec: {}  # missing_field"),
    "two successes of a liveness probe": container(
        "livenessProbe:\n  tcpSocket: {port: 80}\n  successThreshold: 2  # wrong_value"
    ),
    "a period below 0": container(
        "readinessProbe:\n  tcpSocket: {port: 80}\n  periodSeconds: -1  # negative_number"
    ),
    "a readiness probe that ends": container(
        "readinessProbe:\n  tcpSocket: {port: 80}\n"
        "  terminationGracePeriodSeconds: 5  # fields_conflict"
    ),
    "a port as text": container('livenessProbe:\n  httpGet:\n    port: "8080"  # wrong_value'),
    "a port of a probe": container("startupProbe:\n  tcpSocket:\n    port: 70000  # wrong_value"),
    "a header": container(
        "livenessProbe:\n  httpGet:\n    port: 80\n    httpHeaders:\n"
        "    - name: X Auth  # name_invalid\n      value: a"
    ),
    "a hook that sleeps too long": container(
        "lifecycle:\n  preStop:\n    sleep:\n      seconds: 31  # fields_conflict"
    ),
    "an undeclared claim": container("resources:\n  claims:\n  - name: gpu  # not_declared"),
    "a resource without a domain": container("resources:\n  limits:\n    gpu: 1  # wrong_value"),
    "a part of a huge page": container(
        "resources:\n  limits:\n    memory: 1Gi\n    hugepages-2Mi: 3Mi  # wrong_value"
    ),
    "huge pages alone": container(
        "resources:\n  limits:\n    hugepages-2Mi: 4Mi  # fields_conflict"
    ),
    "huge pages requested without a limit": container(
        "resources:\n  requests:\n    memory: 1Gi\n    hugepages-2Mi: 4Mi  # extended_resource"
    ),
    "procMount without user namespaces": container(
        "securityContext:\n  procMount: Unmasked  # fields_conflict"
    ),
    "privileged without escalation": container(
        "securityContext:\n  privileged: true\n  allowPrivilegeEscalation: false  # fields_conflict"
    ),
    "SYS_ADMIN without escalation": container(
        "securityContext:\n  capabilities: {add: [CAP_SYS_ADMIN]}\n"
        "  allowPrivilegeEscalation: false  # fields_conflict"
    ),
    "root where root is excluded": container(
        "securityContext:\n  runAsNonRoot: true\n  runAsUser: 0  # fields_conflict"
    ),
    "a user below 0": container("securityContext:\n  runAsUser: -1  # negative_number"),
    "a profile that is not local": container(
        "securityContext:\n  seccompProfile:\n    type: RuntimeDefault\n"
        "    localhostProfile: a  # fields_conflict"
    ),
    "no local profile": container(
        "securityContext:\n  seccompProfile:  # missing_field\n    type: Localhost"
    ),
    # Volumes.
    "two kinds of volume": volume("emptyDir: {}\nconfigMap: {name: a}  # fields_conflict"),
    "a mode that is not octal": volume("configMap:\n  name: a\n  defaultMode: 644  # wrong_value"),
    "an item outside of the volume": volume(
        "secret:\n  secretName: a\n  items:\n  - key: a\n    path: ../a  # wrong_value"
    ),
    "an absolute item": volume(
        "configMap:\n  name: a\n  items:\n  - key: a\n    path: /a  # wrong_value"
    ),
    "no Secret": volume("secret: {}  # missing_field"),
    "a path up from the host": volume("hostPath:\n  path: /a/../b  # wrong_value"),
    "a relative path of NFS": volume("nfs:\n  server: a\n  path: b  # wrong_value"),
    "two contents of a file": volume(
        "downwardAPI:\n  items:\n  - path: a\n    fieldRef: {fieldPath: metadata.name}\n"
        "    resourceFieldRef: {containerName: main, resource: limits.cpu}  # fields_conflict"
    ),
    "a file of no container": volume(
        "downwardAPI:\n  items:\n  - path: a\n    resourceFieldRef:  # missing_field\n"
        "      resource: limits.cpu"
    ),
    "two sources at once": volume(
        "projected:\n  sources:\n  - secret: {name: a}\n    configMap: {name: b}  # fields_conflict"
    ),
    "a token for a minute": volume(
        "projected:\n  sources:\n  - serviceAccountToken:\n      path: token\n"
        "      expirationSeconds: 60  # wrong_value"
    ),
    "two files at one path": volume(
        "projected:\n  sources:\n  - secret: {name: a, items: [{key: a, path: x}]}\n"
        "  - configMap:\n      name: b\n      items:\n      - key: a\n"
        "        path: x  # duplicate_value"
    ),
    "an ephemeral claim": volume(
        "ephemeral:\n  volumeClaimTemplate:\n    spec:\n      accessModes: [Once]  # wrong_value\n"
        "      resources: {requests: {storage: 1Gi}}"
    ),
    "a subPath up": volume("emptyDir: {}").rstrip()
    + "\n        volumeMounts:\n        - name: data\n          mountPath: /data\n"
    "          subPath: a/../..  # wrong_value\n",
    "subPath and subPathExpr": volume("emptyDir: {}").rstrip()
    + (
        "\n        volumeMounts:\n        - name: data\n          mountPath: /data\n"
        "          subPath: a\n"
        "          subPathExpr: b  # fields_conflict\n"
    ),
    "a mount with a colon": volume("emptyDir: {}").rstrip()
    + (
        "\n        volumeMounts:\n        - name: data\n"
        "          mountPath: /data:ro  # wrong_value\n"
    ),
    "Bidirectional without privileges": volume("emptyDir: {}").rstrip()
    + "\n        volumeMounts:\n        - name: data\n          mountPath: /data\n"
    "          mountPropagation: Bidirectional  # fields_conflict\n",
    "a device that is mounted": volume("persistentVolumeClaim: {claimName: a}").rstrip()
    + "\n        volumeMounts: [{name: data, mountPath: /data}]\n        volumeDevices:\n"
    "        - devicePath: /dev/a\n          name: data  # fields_conflict\n",
    # Pods.
    "Exists with a value": pod(
        "tolerations:\n- key: a\n  operator: Exists\n  value: b  # fields_conflict"
    ),
    "Equal without a key": pod("tolerations:\n- operator: Equal  # fields_conflict\n  value: b"),
    "seconds without NoExecute": pod(
        "tolerations:\n- key: a\n  operator: Exists\n  effect: NoSchedule\n"
        "  tolerationSeconds: 3  # fields_conflict"
    ),
    "a toleration's key": pod("tolerations:\n- key: a b  # name_invalid\n  operator: Exists"),
    "In without values": pod(
        "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      nodeSelectorTerms:\n"
        "      - matchExpressions:\n        - key: gpu  # missing_field\n          operator: In"
    ),
    "Exists with values": pod(
        "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      nodeSelectorTerms:\n"
        "      - matchExpressions:\n        - key: gpu\n          operator: Exists\n"
        "          values: [a]  # fields_conflict"
    ),
    "Gt with two values": pod(
        "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      nodeSelectorTerms:\n"
        "      - matchExpressions:\n        - key: gpu\n          operator: Gt\n"
        "          values: ['1', '2']  # fields_conflict"
    ),
    "no term": pod(
        "affinity:\n  nodeAffinity:\n"
        "    requiredDuringSchedulingIgnoredDuringExecution:  # missing_field\n"
        "      nodeSelectorTerms: []"
    ),
    "weight 0": pod(
        "affinity:\n  nodeAffinity:\n    preferredDuringSchedulingIgnoredDuringExecution:\n"
        "    - weight: 0  # wrong_value\n"
        "      preference: {matchExpressions: [{key: a, operator: Exists}]}"
    ),
    "maxSkew 0": pod(
        "topologySpreadConstraints:\n- maxSkew: 0  # wrong_value\n  topologyKey: zone\n"
        "  whenUnsatisfiable: DoNotSchedule"
    ),
    "minDomains of a preference": pod(
        "topologySpreadConstraints:\n- maxSkew: 1\n  topologyKey: zone\n"
        "  whenUnsatisfiable: ScheduleAnyway\n"
        "  minDomains: 2  # fields_conflict"
    ),
    "one spread twice": pod(
        "topologySpreadConstraints:\n"
        "- {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}\n"
        "- topologyKey: zone  # duplicate_value\n  maxSkew: 2\n  whenUnsatisfiable: DoNotSchedule"
    ),
    "matchLabelKeys without a selector": pod(
        "topologySpreadConstraints:\n- maxSkew: 1\n  topologyKey: zone\n"
        "  whenUnsatisfiable: DoNotSchedule\n"
        "  matchLabelKeys: [app]  # fields_conflict"
    ),
    "dnsPolicy None alone": pod('dnsPolicy: "None"  # fields_conflict'),
    "four name servers": pod(
        "dnsConfig:\n  nameservers: [1.1.1.1, 1.1.1.2, 1.1.1.3, 1.1.1.4]  # wrong_value"
    ),
    "a name server's name": pod("dnsConfig:\n  nameservers:\n  - dns.example.com  # wrong_value"),
    "a host alias": pod("hostAliases:\n- ip: 1.2.3  # wrong_value\n  hostnames: [a]"),
    "deadline 0": pod("activeDeadlineSeconds: 0  # wrong_value"),
    "a host name": pod("hostname: a.b  # name_invalid"),
    "a service account": pod("serviceAccountName: My_Account  # name_invalid"),
    "a gate twice": pod("schedulingGates:\n- name: a.b/c\n- name: a.b/c  # duplicate_value"),
    "a readiness gate": pod("readinessGates:\n- conditionType: a b  # name_invalid"),
    "both process namespaces": pod("hostPID: true\nshareProcessNamespace: true  # fields_conflict"),
    "hostPID without host users": pod("hostUsers: false\nhostPID: true  # fields_conflict"),
    "a sysctl": pod(
        "securityContext:\n  sysctls:\n  - name: Net.Core  # name_invalid\n    value: '1'"
    ),
    "Windows options on Linux": pod(
        "os: {name: linux}\nsecurityContext:\n"
        "  windowsOptions: {runAsUserName: a}  # fields_conflict"
    ),
    "a user on Windows": pod(
        "os: {name: windows}\nsecurityContext:\n  runAsUser: 5  # fields_conflict"
    ),
    "a claim from two": pod(
        "resourceClaims:\n- name: gpu\n  resourceClaimName: a\n"
        "  resourceClaimTemplateName: b  # fields_conflict"
    ),
    "a claim from nothing": pod("resourceClaims:\n- name: gpu  # missing_field"),
    "claims of a pod's resources": pod(
        "resourceClaims: [{name: gpu, resourceClaimName: a}]\nresources:\n"
        "  claims: [{name: gpu}]  # fields_conflict"
    ),
    "no container": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: []  # wrong_value\n"
    ),
    "an ephemeral container at once": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        "  containers: [{name: a, image: b}]\n"
        "  ephemeralContainers: [{name: c, image: d}]  # fields_conflict\n"
    ),
    "a node before its gates": (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n"
        "  containers: [{name: a, image: b}]\n"
        "  schedulingGates: [{name: c}]\n  nodeName: d  # fields_conflict\n"
    ),
    "an object without a name": "apiVersion: v1  # missing_field\nkind: ConfigMap\ndata: {a: b}\n",
    "an unnamed source of files": volume(
        "projected:\n  sources:\n  - configMap: {}  # missing_field"
    ),
    "overhead": pod("overhead:\n  cpu: much  # quantity_invalid"),
    # Servers.
    "rollingUpdate with Recreate": server(
        "Deployment",
        "strategy:\n  type: Recreate\n  rollingUpdate: {maxSurge: 1}  # fields_conflict",
    ),
    "no pod may move": server(
        "Deployment",
        "strategy:\n  rollingUpdate:\n    maxSurge: 0\n    maxUnavailable: 0%  # fields_conflict",
    ),
    "maxSurge in words": server(
        "Deployment", "strategy:\n  rollingUpdate:\n    maxSurge: all  # wrong_value"
    ),
    "replicas below 0": server("Deployment", "replicas: -1  # negative_number"),
    "progress before readiness": server(
        "Deployment", "minReadySeconds: 60\nprogressDeadlineSeconds: 60  # fields_conflict"
    ),
    "a claim's retention": server(
        "StatefulSet",
        "serviceName: a\npersistentVolumeClaimRetentionPolicy:\n  whenDeleted: Keep  # wrong_value",
    ),
    "a template's access mode": server(
        "StatefulSet",
        "serviceName: a\nvolumeClaimTemplates:\n- metadata: {name: data}\n  spec:\n"
        "    accessModes: [ReadWrite]  # wrong_value\n    resources: {requests: {storage: 1Gi}}",
    ),
    # Services, claims, settings.
    "several ports without names": service(
        "ports:\n- port: 80  # missing_field\n- port: 81  # missing_field"
    ),
    "a Service's port twice": service(
        "ports:\n- {name: a, port: 80}\n- name: b\n  port: 80  # duplicate_value"
    ),
    "a node's port of ClusterIP": service(
        "ports:\n- port: 80\n  nodePort: 30080  # fields_conflict"
    ),
    "a target in quotes": service('ports:\n- port: 80\n  targetPort: "8080"  # wrong_value'),
    "a target with a long name": service(
        "ports:\n- port: 80\n  targetPort: a-very-long-port-name  # name_invalid"
    ),
    "a headless NodePort": service(
        'type: NodePort\nclusterIP: "None"  # fields_conflict\nports: [{port: 80}]'
    ),
    "ExternalName without a name": service("type: ExternalName  # missing_field"),
    "no port": (
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:  # missing_field\n"
        "  selector: {app: a}\n"
    ),
    "ranges without a load balancer": service(
        "ports: [{port: 80}]\nloadBalancerSourceRanges: [10.0.0.0/8]  # fields_conflict"
    ),
    "an affinity that is not there": service(
        "ports: [{port: 80}]\nsessionAffinityConfig:  # fields_conflict\n"
        "  clientIP: {timeoutSeconds: 5}"
    ),
    "ReadWriteOncePod and more": claim(
        STORAGE.replace("[ReadWriteOnce]", "[ReadWriteOncePod, ReadWriteOnce]  # fields_conflict")
    ),
    "no storage": claim(STORAGE.replace("1Gi", "0  # wrong_value")),
    "no size": (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: a}\n"
        "spec:  # missing_field\n  accessModes: [ReadWriteOnce]\n"
    ),
    "a storage class": claim(f"storageClassName: Fast_SSD  # name_invalid\n{STORAGE}"),
    "a key of a ConfigMap": settings("ConfigMap", "data:\n  a/b: c  # name_invalid"),
    "a key in both": settings(
        "ConfigMap", "data:\n  a: b  # fields_conflict\nbinaryData:\n  a: Yg=="
    ),
    "a large ConfigMap": settings(
        "ConfigMap", f"data:  # object_too_large\n  a: {'x' * 1_048_577}"
    ),
    "a Secret that is not encoded": settings("Secret", "data:\n  token: my-token  # wrong_value"),
    "a Secret without padding": settings("Secret", "data:\n  token: YQ  # wrong_value"),
    "a certificate without a key": settings(
        "Secret", "type: kubernetes.io/tls  # missing_field\nstringData:\n  tls.crt: a"
    ),
    "a claim without access modes": claim(
        "volumeMode: Filesystem\nresources: {requests: {storage: 1Gi}}"
    ).replace("spec:", "spec:  # missing_field"),
    "a claim template without access modes": server(
        "StatefulSet",
        "serviceName: a\nvolumeClaimTemplates:\n- metadata: {name: data}\n"
        "  spec:  # missing_field\n"
        "    resources: {requests: {storage: 1Gi}}",
    ),
    "an ephemeral volume without a claim": volume("ephemeral: {}  # missing_field"),
    "a device that is no volume": container(
        "volumeDevices:\n- devicePath: /dev/a\n  name: other  # volume_missing"
    ),
    "a DaemonSet with both": server(
        "DaemonSet",
        "updateStrategy:\n  rollingUpdate:\n    maxSurge: 10%  # fields_conflict\n"
        "    maxUnavailable: 1",
    ),
    "more than all pods": server(
        "Deployment", "strategy:\n  rollingUpdate:\n    maxUnavailable: 101%  # wrong_value"
    ),
    "an expression that misses": server("Deployment", "replicas: 1").replace(
        "    matchLabels: {app: server}",
        "    matchExpressions:\n    - {key: app, operator: In, values: [server]}\n"
        "    - key: app  # selector_mismatch\n"
        "      operator: NotIn\n      values: [server]\n    - key: tier  # selector_mismatch\n"
        "      operator: Exists\n"
        "    - key: app  # selector_mismatch\n      operator: DoesNotExist\n"
        "    - key: app  # selector_mismatch\n"
        "      operator: In\n      values: [other]",
    ),
    "two names of a node": pod(
        "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "      nodeSelectorTerms:\n"
        "      - matchFields:\n        - key: metadata.name\n          operator: In\n"
        "          values:  # fields_conflict\n          - a\n          - b"
    ),
    "a key of spreading that is selected too": pod(
        "topologySpreadConstraints:\n- maxSkew: 1\n  topologyKey: zone\n"
        "  whenUnsatisfiable: DoNotSchedule\n"
        "  labelSelector: {matchLabels: {a: b}}\n  matchLabelKeys:\n  - a  # fields_conflict"
    ),
    "two policies of resizing": container(
        "resizePolicy:\n- {resourceName: cpu, restartPolicy: NotRequired}\n"
        "- restartPolicy: NotRequired\n"
        "  resourceName: cpu  # duplicate_value"
    ),
    "a restart that is never": container(
        "resizePolicy:\n- resourceName: cpu\n  restartPolicy: RestartContainer  # fields_conflict"
    ),
    "an address that is none": service("ports: [{port: 80}]\nclusterIP: foo  # wrong_value"),
    "basic authentication without any": settings(
        "Secret", "type: kubernetes.io/basic-auth  # missing_field\nstringData:\n  user: a"
    ),
    "large annotations": settings("ConfigMap", "").replace(
        "metadata:\n", f"metadata:\n  annotations:  # object_too_large\n    a: {'x' * 262_144}\n"
    ),
}

NODE_AFFINITY = (
    "affinity:\n  nodeAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
    "      nodeSelectorTerms:\n"
)
MOUNTED = "restartPolicy: Never\nvolumes:\n- name: data\n  emptyDir: {}"


def mounted(mount: str) -> str:
    return job(
        pod=MOUNTED,
        container=f"volumeMounts:\n- name: data\n  mountPath: /data\n{indent(mount, '  ')}",
    )


def failures(rule: str, pod_fields: str = "restartPolicy: Never") -> str:
    return job(f"podFailurePolicy:\n  rules:\n{indent(rule, '  ')}", pod=pod_fields)


ACCEPTED = {
    "a small Job": job(),
    # Jobs: each bound from the inside.
    "NonIndexed": job("completionMode: NonIndexed\ncompletions: 0\nparallelism: 0"),
    "an Indexed Job": indexed("parallelism: 100000\nbackoffLimitPerIndex: 0\nmaxFailedIndexes: 10"),
    "so many indexes": job("completionMode: Indexed\ncompletions: 100001\nparallelism: 100000"),
    "so many indexes with limits": job(
        "completionMode: Indexed\ncompletions: 100001\nparallelism: 10000\n"
        "backoffLimitPerIndex: 1\n"
        "maxFailedIndexes: 10000"
    ),
    "the longest name of indexed pods": job(
        "completionMode: Indexed\ncompletions: 10", name="a" * 61
    ),
    "the longest name of a Job": job(name="a" * 63),
    "a dot in a Job's name": job(name="run-1.5"),
    "success by count": indexed("successPolicy:\n  rules:\n  - succeededCount: 10"),
    "success by indexes": indexed(
        "successPolicy:\n  rules:\n  - succeededIndexes: 0,2-4,9\n    succeededCount: 5"
    ),
    "success by one index": indexed('successPolicy:\n  rules:\n  - succeededIndexes: "0"'),
    "success by no index": indexed('successPolicy:\n  rules:\n  - succeededIndexes: ""'),
    "replacement of failed pods": job(
        "podReplacementPolicy: Failed\nsuspend: true\nttlSecondsAfterFinished: 0"
    ),
    "early replacement": job(
        "podReplacementPolicy: TerminatingOrFailed\nbackoffLimit: 0\nactiveDeadlineSeconds: 0"
    ),
    "a failure policy": failures(
        "- action: FailJob\n"
        "  onExitCodes: {containerName: main, operator: In, values: [1, 42, 255]}\n"
        "- action: Ignore\n  onPodConditions: [{type: DisruptionTarget}]\n"
        "- action: Count\n  onPodConditions: [{type: a.b/C, status: 'False'}]"
    ),
    "exit code 0 with NotIn": failures(
        "- action: FailJob\n  onExitCodes: {operator: NotIn, values: [0, 2]}"
    ),
    "exit codes of an init container": failures(
        "- action: FailJob\n  onExitCodes: {containerName: first, operator: In, values: [1]}",
        "restartPolicy: Never\ninitContainers: [{name: first, image: a}]",
    ),
    "a failed index": indexed(
        "backoffLimitPerIndex: 1\npodFailurePolicy:\n  rules:\n  - action: FailIndex\n"
        "    onExitCodes: {operator: In, values: [1]}"
    ),
    "a failure policy with replacement": job(
        "podReplacementPolicy: Failed\npodFailurePolicy:\n  rules:\n  - action: Ignore\n"
        "    onPodConditions: [{type: DisruptionTarget}]"
    ),
    "an empty selector": job("selector: {}"),
    "the selector of a running Job": job(
        "selector:\n  matchLabels: {batch.kubernetes.io/controller-uid: a-b}"
    ),
    "a manual selector": (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  manualSelector: true\n"
        "  selector: {matchLabels: {app: a}}\n  template:\n    metadata: {labels: {app: a}}\n"
        "    spec: {restartPolicy: OnFailure, containers: [{name: a, image: b}]}\n"
    ),
    "managedBy": job("managedBy: kueue.x-k8s.io/multikueue"),
    "managedBy of a Job itself": job("managedBy: kubernetes.io/job-controller"),
    "a generated name": (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {generateName: run-1.}\nspec:\n  template:\n"
        "    spec: {restartPolicy: Never, containers: [{name: a, image: b}]}\n"
    ).replace("run-1.", "run-1.5-"),
    # CronJobs.
    **{
        f"schedule {schedule}": cron_job(f'schedule: "{schedule}"')
        for schedule in (
            "0 0 * * *",
            "59 23 31 12 6",
            "*/5 0-6,8 1,15 * mon-fri",
            "0 0 ? JAN-Mar sun",
            "10/15 * * * *",
            "@hourly",
            "@every 1h30m",
            "  0  0 * * 0 ",
        )
    },
    **{
        f"time zone {zone}": cron_job(f'schedule: "0 0 * * *"\ntimeZone: {zone}')
        for zone in (
            "UTC",
            "Etc/UTC",
            "Asia/Seoul",
            "ROK",
            "US/Pacific",
            "America/Argentina/Ushuaia",
            "Etc/GMT+5",
        )
    },
    "all of a CronJob": cron_job(
        'schedule: "0 0 * * *"\nconcurrencyPolicy: Forbid\nstartingDeadlineSeconds: 0\n'
        "successfulJobsHistoryLimit: 0\nfailedJobsHistoryLimit: 0",
        "manualSelector: false",
    ),
    # Containers.
    "a sidecar": init_container(
        "restartPolicy: Always\nreadinessProbe: {httpGet: {port: 80}}\n"
        "lifecycle: {preStop: {exec: {command: [a]}}}"
    ),
    "an init container that is tried again": init_container("restartPolicy: OnFailure"),
    "variables": container(
        "env:\n- {name: A, value: ''}\n- {name: b.c-d, value: $(A)}\n- {name: 1 2, value: x}\n"
        "- name: NODE\n  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}\n"
        "- name: LABEL\n"
        "  valueFrom: {fieldRef: {fieldPath: \"metadata.labels['example.com/app']\"}}\n"
        "- name: NOTE\n  valueFrom: {fieldRef: {apiVersion: v1, fieldPath: "
        "\"metadata.annotations['Example.com/A']\"}}\n"
        "- name: CPU\n  valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}\n"
        "- name: MEMORY\n"
        "  valueFrom: {resourceFieldRef: {resource: requests.memory, divisor: 1Mi}}\n"
        "- name: DISK\n"
        "  valueFrom: {resourceFieldRef: {resource: limits.ephemeral-storage, divisor: '0'}}\n"
        "- name: PAGES\n  valueFrom: {resourceFieldRef: {resource: limits.hugepages-2Mi}}\n"
        "- name: KEY\n  valueFrom: {secretKeyRef: {name: a, key: .a_b-c.D, optional: true}}"
    ),
    "an empty value beside a source": container(
        "env:\n- name: A\n  value: ''\n  valueFrom: {configMapKeyRef: {name: a, key: b}}"
    ),
    "variables from settings": container(
        "envFrom:\n- configMapRef: {name: a.b}\n- prefix: A_\n"
        "  secretRef: {name: b, optional: true}"
    ),
    "ports": container(
        "ports:\n- {containerPort: 1, name: a, protocol: UDP}\n"
        "- {containerPort: 65535, name: exactly-15-long}\n"
        "- {containerPort: 80, hostPort: 0}\n- {containerPort: 53, hostPort: 53, protocol: UDP}\n"
        "- {containerPort: 53, hostPort: 53, protocol: TCP}\n"
        "- {containerPort: 54, hostPort: 53, hostIP: 127.0.0.1}"
    ),
    "port names of two containers": pod(
        "initContainers: [{name: b, image: c, ports: [{containerPort: 1, name: a}]}]"
    )
    + "        ports: [{containerPort: 1, name: a}]\n",
    "the node's network": pod("hostNetwork: true\ndnsPolicy: ClusterFirstWithHostNet")
    + "        ports: [{containerPort: 80}, {containerPort: 81, hostPort: 81}]\n",
    "probes": container(
        "livenessProbe: {exec: {command: [a]}, periodSeconds: 0, successThreshold: 1, "
        "terminationGracePeriodSeconds: 1}\n"
        "readinessProbe: {httpGet: {port: http, scheme: HTTPS, httpHeaders: [{name: X-A, value: "
        "b}]}, "
        "successThreshold: 9}\n"
        "startupProbe: {grpc: {port: 65535}, failureThreshold: 600}"
    ),
    "a probe with an empty handler beside": container(
        "livenessProbe:\n  exec:\n  tcpSocket: {port: 1}"
    ),
    "hooks": container(
        "lifecycle:\n  postStart: {httpGet: {port: 80}}\n  preStop: {sleep: {seconds: 30}}"
    ),
    "a long sleep": pod("terminationGracePeriodSeconds: 60")
    + "        lifecycle: {preStop: {sleep: {seconds: 60}}}\n",
    "a declared claim": pod("resourceClaims: [{name: gpu, resourceClaimTemplateName: a}]")
    + "        resources: {claims: [{name: gpu, request: a}, {name: gpu, request: b}]}\n",
    "resources": container(
        "resources:\n"
        "  limits: {cpu: 1.5, memory: 1Gi, ephemeral-storage: 1G, nvidia.com/gpu: 8, "
        "hugepages-2Mi: 4Mi}\n"
        "  requests: {cpu: 100m, hugepages-2Mi: 4Mi}"
    ),
    "resources of other vendors": container(
        "resources: {limits: {amd.com/gpu: 1, google.com/tpu: 4, a.b/c-d_e.f: 1}}"
    ),
    "container security": container(
        "securityContext: {runAsUser: 2147483647, runAsGroup: 0, runAsNonRoot: true, privileged: "
        "false,\n"
        "  allowPrivilegeEscalation: false, procMount: Default, capabilities: {drop: [ALL], add: "
        "[NET_BIND_SERVICE]},\n"
        "  seccompProfile: {type: Localhost, localhostProfile: a/b.json}}"
    ),
    "root without the promise": container("securityContext: {runAsUser: 0, runAsNonRoot: false}"),
    "policies of a container": container(
        "imagePullPolicy: IfNotPresent\nterminationMessagePolicy: FallbackToLogsOnError\n"
        "resizePolicy: [{resourceName: memory, restartPolicy: NotRequired}]"
    ),
    "an image by digest": job().replace(
        "example/image:1", f"ghcr.io:443/a/b_c:v1@sha256:{'0' * 64}"
    ),
    # Volumes.
    "a volume without a kind": pod("volumes: [{name: data}]"),
    "an empty volume": volume("emptyDir:"),
    "a null beside a kind": volume("configMap:\nemptyDir: {medium: Memory, sizeLimit: 1Gi}"),
    "huge pages as a volume": volume("emptyDir: {medium: HugePages-2Mi}"),
    "modes": volume(
        "configMap:\n  name: a\n  defaultMode: 511\n  items: [{key: a, path: b/c..d, mode: 0}]"
    ),
    "a mode in decimals": volume("secret: {secretName: a, defaultMode: 511, optional: true}"),
    "a path that begins with a dot": volume("secret: {secretName: a, items: [{key: a, path: .b}]}"),
    **{
        f"hostPath {kind or 'of no type'}": volume(f"hostPath: {{path: /a/..b, type: '{kind}'}}")
        for kind in (
            "",
            "DirectoryOrCreate",
            "Directory",
            "FileOrCreate",
            "File",
            "Socket",
            "CharDevice",
            "BlockDevice",
        )
    },
    "files about the pod": volume(
        "downwardAPI:\n  items:\n  - {path: a, fieldRef: {fieldPath: metadata.labels}}\n"
        "  - {path: b, mode: 256, resourceFieldRef: {containerName: main, resource: limits.cpu}}"
    ),
    "a projected volume": volume(
        "projected:\n  defaultMode: 256\n  sources:\n"
        "  - secret: {name: a, items: [{key: a, path: x}]}\n"
        "  - configMap: {name: b, items: [{key: a, path: b}]}\n"
        "  - serviceAccountToken: {path: token, expirationSeconds: 600, audience: a}\n"
        "  - downwardAPI: {items: [{path: z, fieldRef: {fieldPath: metadata.uid}}]}"
    ),
    "a claim as a volume": volume("persistentVolumeClaim: {claimName: a, readOnly: true}"),
    "an ephemeral claim": volume(
        "ephemeral:\n  volumeClaimTemplate:\n"
        "    spec: {accessModes: [ReadWriteOncePod], resources: {requests: {storage: 1}}}"
    ),
    "NFS": volume("nfs: {server: a, path: /b}"),
    "CSI": volume("csi: {driver: gcsfuse.csi.storage.gke.io, volumeAttributes: {bucketName: a}}"),
    "an image as a volume": volume("image: {reference: a/b:1, pullPolicy: Always}"),
    **{
        f"mount {number}": mounted(mount)
        for number, mount in enumerate(
            (
                "subPath: a/b..c",
                "subPathExpr: $(POD_NAME)",
                "mountPropagation: HostToContainer",
                "mountPropagation: None",
                "readOnly: true\nrecursiveReadOnly: Enabled",
                "recursiveReadOnly: Disabled",
            )
        )
    },
    "a mount on Windows": job(
        pod=MOUNTED, container='volumeMounts: [{name: data, mountPath: "C:\\\\data"}]'
    ),
    "a privileged mount": job(
        pod=MOUNTED,
        container="securityContext: {privileged: true}\n"
        "volumeMounts: [{name: data, mountPath: /data, mountPropagation: Bidirectional}]",
    ),
    "a device": job(
        pod="restartPolicy: Never\nvolumes: [{name: data, persistentVolumeClaim: {claimName: a}}]",
        container="volumeDevices: [{name: data, devicePath: /dev/xvda}]",
    ),
    # Pods.
    "tolerations": pod(
        "tolerations:\n- operator: Exists\n- {key: a, operator: Exists, effect: NoSchedule}\n"
        "- {key: a, value: b}\n"
        "- {key: nvidia.com/gpu, operator: Equal, value: present, effect: PreferNoSchedule}\n"
        "- {key: a, operator: Exists, effect: NoExecute, tolerationSeconds: 0}\n"
        "- {key: a, operator: Equal}\n"
        "- {key: a, operator: Gt, value: '5'}\n- {operator: Exists, value: ''}"
    ),
    "nodes by label": pod(
        f"{NODE_AFFINITY}      - matchExpressions:\n"
        f"        - {{key: a.b/c, operator: In, values: [d, '']}}\n"
        "        - {key: a, operator: DoesNotExist}\n"
        "        - {key: b, operator: Gt, values: ['1']}\n"
        "      - matchFields: [{key: metadata.name, operator: In, values: [node-1]}]"
    ),
    "nodes by preference": pod(
        "affinity:\n  nodeAffinity:\n    preferredDuringSchedulingIgnoredDuringExecution:\n"
        "    - {weight: 1, preference: {matchExpressions: [{key: a, operator: In, values: [b "
        "c]}]}}\n"
        "    - {weight: 100, preference: {matchExpressions: [{key: a, operator: Exists, values: "
        "[]}]}}"
    ),
    "pods together": pod(
        "affinity:\n  podAffinity:\n    requiredDuringSchedulingIgnoredDuringExecution:\n"
        "    - {topologyKey: zone, labelSelector: {matchLabels: {a: b}}, matchLabelKeys: [c], "
        "namespaces: [d]}\n"
        "  podAntiAffinity:\n    preferredDuringSchedulingIgnoredDuringExecution:\n"
        "    - weight: 50\n      podAffinityTerm:\n        topologyKey: kubernetes.io/hostname\n"
        "        namespaceSelector: {}\n"
        "        labelSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b]}]}"
    ),
    "spreading": pod(
        "topologySpreadConstraints:\n"
        "- {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, "
        "minDomains: 1}\n"
        "- {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: ScheduleAnyway, nodeAffinityPolicy: "
        "Honor,\n"
        "   labelSelector: {matchLabels: {a: b}}, matchLabelKeys: [c], nodeTaintsPolicy: Ignore}"
    ),
    "name servers": pod(
        'dnsPolicy: "None"\n'
        'dnsConfig: {nameservers: [1.1.1.1, "2001:db8::1", 010.0.0.1], searches: [a_b.c., .],\n'
        "  options: [{name: ndots, value: '2'}]}"
    ),
    "names of a pod": pod(
        "hostname: a-1\nsubdomain: b\nserviceAccountName: a.b\n"
        "priorityClassName: system-node-critical\n"
        "runtimeClassName: gvisor\nnodeName: node-1.a"
    ),
    "numbers of a pod": pod(
        "activeDeadlineSeconds: 2147483647\nterminationGracePeriodSeconds: 0\npriority: -5"
    ),
    "host aliases": pod("hostAliases: [{ip: 127.0.0.1, hostnames: [a.b, c]}, {ip: '::1'}]"),
    "pod security": pod(
        "securityContext: {fsGroup: 0, runAsUser: 2147483647, fsGroupChangePolicy: "
        "OnRootMismatch,\n"
        "  supplementalGroups: [0, 5], supplementalGroupsPolicy: Strict, seLinuxChangePolicy: "
        "Recursive,\n"
        "  seccompProfile: {type: RuntimeDefault}, appArmorProfile: {type: Localhost, "
        "localhostProfile: a},\n"
        "  sysctls: [{name: net.core.somaxconn, value: '1'}, {name: net/ipv4/tcp_syncookies, "
        "value: '1'}]}"
    ),
    "a Linux pod": pod(
        "os: {name: linux}\nsecurityContext: {runAsUser: 5}\nshareProcessNamespace: true"
    ),
    "a Windows pod": pod(
        "os: {name: windows}\nsecurityContext: {windowsOptions: {runAsUserName: A}}"
    ),
    "user namespaces": pod("hostUsers: false") + "        securityContext: {procMount: Unmasked}\n",
    "the pod's resources": pod(
        "resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}"
    ),
    "gates": pod(
        "schedulingGates: [{name: a.b/c}, {name: d}]\nreadinessGates: [{conditionType: a.b/C}]"
    ),
    "priority and runtime": pod(
        "preemptionPolicy: Never\noverhead: {cpu: 250m}\nenableServiceLinks: false"
    ),
    "root for none of the containers": pod("securityContext: {runAsNonRoot: true, runAsUser: 0}")
    + "        securityContext: {runAsUser: 1000}\n",
    "root where a container may": pod("securityContext: {runAsNonRoot: true, runAsUser: 0}")
    + "        securityContext: {runAsNonRoot: false}\n",
    "an empty prefix": container("envFrom: [{prefix: '', configMapRef: {name: c}}]"),
    # Servers.
    "a Deployment": server(
        "Deployment",
        "replicas: 0\nminReadySeconds: 5\nprogressDeadlineSeconds: 6\nrevisionHistoryLimit: 0\n"
        "strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 25%, maxUnavailable: 0}}",
    ),
    "Recreate": server("Deployment", "strategy:\n  type: Recreate\n  rollingUpdate:"),
    "a StatefulSet": server(
        "StatefulSet",
        "serviceName: a\npodManagementPolicy: Parallel\n"
        "updateStrategy: {rollingUpdate: {partition: 0}}\n"
        "persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete, whenScaled: Retain}\n"
        "ordinals: {start: 0}\n"
        "volumeClaimTemplates:\n- metadata: {name: data}\n"
        "  spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}",
    ),
    "a DaemonSet": server(
        "DaemonSet", "updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 10%}}"
    ),
    "OnDelete": server("DaemonSet", "updateStrategy: {type: OnDelete}"),
    # Services, claims, settings.
    "a Service": service(
        "selector: {app: a}\nports: [{port: 80, targetPort: http, appProtocol: kubernetes.io/h2c}]"
    ),
    "several ports": service(
        "ports:\n- {name: dns, port: 53, protocol: UDP, targetPort: 0}\n"
        "- {name: dns-tcp, port: 53, targetPort: 65535}"
    ),
    "a NodePort": service(
        "type: NodePort\nexternalTrafficPolicy: Local\nports:\n"
        "- {name: a, port: 1, nodePort: 30000}\n"
        "- {name: b, port: 2, nodePort: 30000, protocol: UDP}\n- {name: c, port: 3, nodePort: 0}\n"
        "- {name: d, port: 4, nodePort: 0}"
    ),
    "a load balancer": service(
        "type: LoadBalancer\nloadBalancerSourceRanges: [10.0.0.0/8]\n"
        "allocateLoadBalancerNodePorts: false\n"
        "ports: [{port: 65535}]\ninternalTrafficPolicy: Local\ntrafficDistribution: PreferSameNode"
    ),
    "a headless Service": service('clusterIP: "None"\nselector: {app: a}'),
    "a headless Service by its list": service(
        'clusterIPs: ["None"]\nselector: {app: a}\nipFamilies: [IPv6, IPv4]'
    ),
    "an external name": service("type: ExternalName\nexternalName: a.example.com."),
    "an affinity": service(
        "sessionAffinity: ClientIP\nsessionAffinityConfig: {clientIP: {timeoutSeconds: 86400}}\n"
        "ports: [{port: 80}]"
    ),
    "a patch of a Service": service("type: ClusterIP"),
    "a claim": claim(f"storageClassName: ''\nvolumeMode: Filesystem\n{STORAGE}"),
    "a claim for one pod": claim(STORAGE.replace("ReadWriteOnce", "ReadWriteOncePod")),
    "a claim of a snapshot": claim(
        f"{STORAGE}dataSource: {{apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: a}}"
    ),
    "a copy of a claim": claim(f"{STORAGE}dataSource: {{kind: PersistentVolumeClaim, name: a}}"),
    "a patch of a claim's size": claim(
        "storageClassName: fast\nresources: {requests: {storage: 1Gi}}"
    ),
    "an ephemeral volume": volume(
        "ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce],\n"
        "  resources: {requests: {storage: 1Gi}}}}}"
    ),
    "a device of a claim": job(
        pod="restartPolicy: Never\nvolumes: [{name: disk, persistentVolumeClaim: {claimName: a}}]",
        container="volumeDevices: [{name: disk, devicePath: /dev/a}]",
    ),
    "a DaemonSet with more pods": server(
        "DaemonSet", "updateStrategy: {rollingUpdate: {maxSurge: 100%, maxUnavailable: 0%}}"
    ),
    "twice as many pods": server(
        "Deployment", "strategy: {rollingUpdate: {maxSurge: 200%, maxUnavailable: 100%}}"
    ),
    "expressions that select": server("Deployment", "replicas: 1").replace(
        "    matchLabels: {app: server}",
        "    matchExpressions:\n    - {key: app, operator: In, values: [a, server]}\n"
        "    - {key: app, operator: NotIn, values: [a]}\n"
        "    - {key: tier, operator: NotIn, values: [a]}\n"
        "    - {key: app, operator: Exists}\n    - {key: tier, operator: DoesNotExist}\n"
        "    - {key: app, operator: In, values: [$name]}",
    ),
    "the name of a node": pod(
        f"{NODE_AFFINITY}      - matchFields: [{{key: metadata.name, operator: In, values: [a]}}]"
    ),
    "resizing": container(
        "resizePolicy:\n- {resourceName: cpu, restartPolicy: NotRequired}\n"
        "- {resourceName: memory, restartPolicy: NotRequired}"
    ),
    "resizing with restarts": job(
        pod="restartPolicy: OnFailure",
        container="resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]",
    ),
    "a Service that begins with a digit": service(
        "ports: [{port: 80}]\nclusterIP: 10.0.0.1"
    ).replace("name: server", "name: 1s"),
    "basic authentication": settings(
        "Secret", "type: kubernetes.io/basic-auth\nstringData: {password: a}"
    ),
    "a custom kind in small letters": (
        "apiVersion: example.com/v1\nkind: job-like\nmetadata: {name: a}\n"
    ),
    "a ConfigMap": settings(
        "ConfigMap", "immutable: true\ndata: {a.b_c-D: e, .f: g}\nbinaryData: {h: aGVsbG8=, i: ''}"
    ),
    "the largest ConfigMap": settings("ConfigMap", f"data: {{a: {'x' * 1_048_576}}}"),
    "a Secret": settings(
        "Secret",
        "type: Opaque\ndata:\n  a: YQ==\n  b: |\n    aGVs\n    bG8=\nstringData: {c: any text}",
    ),
    "a certificate": settings(
        "Secret", "type: kubernetes.io/tls\nstringData: {tls.crt: a}\ndata: {tls.key: YQ==}"
    ),
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in REFUSED.items()])
def test_what_the_api_server_refuses_is_reported_at_its_line(
    text: str, schemas: KubernetesSchemas
) -> None:
    lines = enumerate(text.splitlines(), 1)
    expected = [(number, match[1]) for number, line in lines if (match := _EXPECTED.search(line))]
    found = validate(text, "yaml", "job", kubernetes=schemas).problems
    assert [(p.line, p.code) for p in found if p.code != "not_a_job"] == expected
    assert all(p.severity == "warning" for p in found)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in ACCEPTED.items()])
def test_what_the_api_server_accepts_has_no_problem(text: str, schemas: KubernetesSchemas) -> None:
    found = validate(text, "yaml", "job", kubernetes=schemas).problems
    assert [(p.line, p.code, p.message) for p in found if p.code != "not_a_job"] == []


def test_values_that_are_filled_in_later_are_not_checked() -> None:
    text = job(
        "completionMode: ${MODE}\nmaxFailedIndexes: ${N}\nbackoffLimitPerIndex: 1",
        pod="restartPolicy: Never\ndnsPolicy: '{{ .Policy }}'\nserviceAccountName: <your-account>",
        container="imagePullPolicy: $PULL\nports: [{name: $(NAME), containerPort: 80}]\n"
        "env: [{name: '{{ .Name }}', value: '${VALUE}', valueFrom: {fieldRef: {fieldPath: "
        "metadata.name}}}]",
    )
    assert validate(text, "yaml", "job").problems == ()
    selected = service("selector: {app: '{{ .Name }}', '${KEY}': a}\nports: [{port: 80}]")
    assert [
        p.code for p in validate(selected, "yaml", "job").problems if p.code != "not_a_job"
    ] == []


def test_at_least_fifty_are_refused_and_a_hundred_accepted() -> None:
    assert len(REFUSED) >= 50
    assert len(ACCEPTED) >= 100


@pytest.mark.parametrize(
    ("group", "kind", "above"),
    [
        (
            "jobset.x-k8s.io/v1alpha2",
            "JobSet",
            ["spec:", "replicatedJobs:", "- template:", "spec:", "template:"],
        ),
        ("kubeflow.org/v2beta1", "MPIJob", ["spec:", "mpiReplicaSpecs:", "Worker:", "template:"]),
        (
            "kubeflow.org/v1",
            "PyTorchJob",
            ["spec:", "pytorchReplicaSpecs:", "Master:", "template:"],
        ),
        ("batch.volcano.sh/v1alpha1", "Job", ["spec:", "tasks:", "- template:"]),
        ("ray.io/v1", "RayCluster", ["spec:", "headGroupSpec:", "template:"]),
        ("ray.io/v1", "RayJob", ["spec:", "rayClusterSpec:", "workerGroupSpecs:", "- template:"]),
        ("ray.io/v1", "RayService", ["spec:", "rayClusterConfig:", "headGroupSpec:", "template:"]),
        (
            "trainer.kubeflow.org/v1alpha1",
            "ClusterTrainingRuntime",
            ["spec:", "template:", "spec:", "replicatedJobs:", "- template:", "spec:", "template:"],
        ),
    ],
)
def test_pods_inside_custom_resources_may_lack_fields(
    group: str, kind: str, above: list[str]
) -> None:
    lines = [f"apiVersion: {group}", f"kind: {kind}", "metadata: {name: a}"]
    lines += [f"{'    ' * depth}{line}" for depth, line in enumerate(above)]
    lines += [
        f"{'    ' * len(above)}{line}"
        for line in (
            *(
                "spec:",
                "  containers:",
                "  - name: a",
                "    imagePullPolicy: always",
                "    livenessProbe: {}",
            ),
            *(
                "    resources: {claims: [{name: added}]}",
                "  initContainers:",
                "  - name: b",
                "    startupProbe: {}",
            ),
        )
    ]
    found = validate("\n".join(lines), "yaml", "job").problems
    assert [(p.code, p.line) for p in found if p.code != "not_a_job"] == [
        ("wrong_value", len(lines) - 5),
        ("fields_conflict", len(lines)),
    ]


@pytest.mark.parametrize(
    "value", ["x", "[]", "[1, [2]]", "{}", "null", "{a: {b: c}}", "[{name: []}]", "1.5", "true"]
)
@pytest.mark.parametrize(
    "name", ["variables", "probes", "tolerations", "nodes by label", "a failure policy", "ports"]
)
def test_only_the_schema_reports_wrong_types(name: str, value: str) -> None:
    """The rules do not fail if any one value has another type."""
    lines = ACCEPTED[name].splitlines()
    keys = {n: line.partition(":")[0] for n, line in enumerate(lines) if ":" in line}
    texts = ["\n".join([*lines[:n], f"{key}: {value}"]) for n, key in keys.items()]
    validities = {text: validate(text, "yaml", "job").validity for text in texts}
    assert [text for text, found in validities.items() if found not in {"valid", "invalid"}] == []
