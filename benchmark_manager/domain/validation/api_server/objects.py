"""The rules for an object by its kind, and the pods inside custom resources."""

from typing import Final

from benchmark_manager.domain.validation.api_server import forms
from benchmark_manager.domain.validation.api_server.jobs import CRON_JOB, JOB, TEMPLATE
from benchmark_manager.domain.validation.api_server.pods import OWN_POD_SPEC
from benchmark_manager.domain.validation.api_server.rules import (
    Field,
    Rule,
    Shape,
    each,
    every_value,
    given,
)
from benchmark_manager.domain.validation.api_server.services import SERVICE
from benchmark_manager.domain.validation.api_server.settings import CONFIG_MAP, SECRET
from benchmark_manager.domain.validation.api_server.volumes import CLAIM
from benchmark_manager.domain.validation.api_server.workloads import (
    DAEMON_SET,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
)
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.value_findings import ValueFindings
from benchmark_manager.domain.validation.values import mapping

MAX_ANNOTATIONS: Final = 262_144
"""Bytes of all annotations of an object, keys and values."""


def _annotations(value: Value, field: Field) -> None:
    size = sum(
        len(f"{key}{text}".encode("utf-8", "surrogatepass"))
        for key, text in mapping(value).items()
        if isinstance(text, str)
    )
    if size > MAX_ANNOTATIONS:
        field.refuse(
            "object_too_large",
            f"annotations has {size:,} bytes; Kubernetes allows {MAX_ANNOTATIONS:,} at most.",
        )


def _has_name(manifest: Value, field: Field) -> None:
    metadata = manifest.get("metadata")
    if (metadata is None or isinstance(metadata, dict)) and not given(
        metadata, ("name", "generateName")
    ):
        field.require("metadata.name", "every object needs a name or a generateName.")


_METADATA: Final = Shape(
    {"metadata": Shape({"generateName": forms.PREFIX, "annotations": _annotations})}
)

#: By kind, with its group; the same kind of another group is a custom resource.
_OBJECTS: Final[dict[str, tuple[str, Rule]]] = {
    "Job": ("batch", JOB),
    "CronJob": ("batch", CRON_JOB),
    "Deployment": ("apps", DEPLOYMENT),
    "StatefulSet": ("apps", STATEFUL_SET),
    "DaemonSet": ("apps", DAEMON_SET),
    "ReplicaSet": ("apps", REPLICA_SET),
    "Pod": ("", Shape({"spec": OWN_POD_SPEC})),
    "Service": ("", SERVICE),
    "ConfigMap": ("", CONFIG_MAP),
    "Secret": ("", SECRET),
    "PersistentVolumeClaim": ("", Shape({"spec": CLAIM})),
}

# --- custom resources -----------------------------------------------------------------------------


def _below(*steps: str, rule: Rule) -> Rule:
    """Return a rule that applies another to the value below the keys."""
    for step in reversed(steps):
        rule = Shape({step: rule})
    return rule


_TEMPLATED: Final = Shape({"template": TEMPLATE})
_JOB_SET: Final = Shape(
    {"replicatedJobs": each(_below("template", "spec", "template", rule=TEMPLATE))}
)
_RAY_CLUSTER: Final = Shape({"headGroupSpec": _TEMPLATED, "workerGroupSpecs": each(_TEMPLATED)})
_REPLICAS: Final = every_value(_TEMPLATED)

#: The paths of pods in custom resources, by group and kind. Their controllers complete the
#: templates, so that missing fields are not reported.
_PODS_INSIDE: Final[dict[tuple[str, str], Rule]] = {
    ("jobset.x-k8s.io", "JobSet"): Shape({"spec": _JOB_SET}),
    ("trainer.kubeflow.org", "TrainingRuntime"): _below("spec", "template", "spec", rule=_JOB_SET),
    ("trainer.kubeflow.org", "ClusterTrainingRuntime"): _below(
        "spec", "template", "spec", rule=_JOB_SET
    ),
    ("kubeflow.org", "MPIJob"): _below("spec", "mpiReplicaSpecs", rule=_REPLICAS),
    ("kubeflow.org", "PyTorchJob"): _below("spec", "pytorchReplicaSpecs", rule=_REPLICAS),
    ("kubeflow.org", "TFJob"): _below("spec", "tfReplicaSpecs", rule=_REPLICAS),
    ("kubeflow.org", "XGBoostJob"): _below("spec", "xgbReplicaSpecs", rule=_REPLICAS),
    ("kubeflow.org", "PaddleJob"): _below("spec", "paddleReplicaSpecs", rule=_REPLICAS),
    ("kubeflow.org", "JAXJob"): _below("spec", "jaxReplicaSpecs", rule=_REPLICAS),
    ("batch.volcano.sh", "Job"): Shape({"spec": Shape({"tasks": each(_TEMPLATED)})}),
    ("ray.io", "RayCluster"): Shape({"spec": _RAY_CLUSTER}),
    ("ray.io", "RayJob"): Shape(
        {"spec": Shape({"rayClusterSpec": _RAY_CLUSTER, "submitterPodTemplate": TEMPLATE})}
    ),
    ("ray.io", "RayService"): _below("spec", "rayClusterConfig", rule=_RAY_CLUSTER),
    ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"): _below(
        "spec",
        "leaderWorkerTemplate",
        rule=Shape({"leaderTemplate": TEMPLATE, "workerTemplate": TEMPLATE}),
    ),
}


def check_api_rules(manifest: Value, findings: ValueFindings, *, whole: bool = True) -> None:
    """Report what the API server refuses in one object, beyond its schema.

    Args:
        manifest: the object; kinds without rules are skipped.
        findings: collects the findings; a value that already has one is not reported again.
        whole: whether the object is complete. In a patch, missing fields are not reported.
    """
    if not isinstance(manifest, dict):
        return
    version, kind = manifest.get("apiVersion"), manifest.get("kind")
    if not isinstance(kind, str) or not (version is None or isinstance(version, str)):
        return
    # A manifest without a version is taken for one of Kubernetes' own.
    group = None if version is None else version.rpartition("/")[0]
    own_group, rule = _OBJECTS.get(kind, ("", None))
    if rule is not None and group in {None, own_group}:
        field = Field((), findings, whole)
        # `workload_check` reports a Job without a name in more detail.
        if kind != "Job":
            _has_name(manifest, field)
        rule(manifest, field)
        _METADATA(manifest, field)
    inside = _PODS_INSIDE.get((group or "", kind))
    if inside is not None:
        inside(manifest, Field((), findings, whole, completed=True))
