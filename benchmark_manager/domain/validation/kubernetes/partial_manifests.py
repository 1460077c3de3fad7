"""Parts of manifests that kustomize merges into whole ones: patches, and bases without labels.

A part lacks on purpose what every whole manifest has, so nothing is reported as missing. A manifest
counts as a part only where that is plain:

- it has one of the directives of a strategic merge patch, such as `$patch`, or
- it is named, all its fields are known (a misspelt field is not a missing one), and it lacks what
  every whole manifest has: a Deployment and the like its selector, and the images or labels of its
  pods; a Job its `restartPolicy` and every image; a CronJob its `jobTemplate`; an autoscaler its
  target.

So a Job in which only the image was forgotten is still reported. A Job in which both image and
`restartPolicy` were forgotten is not: it looks like a patch, and people would stop reading warnings
if every patch had one.
"""

from collections.abc import Iterable
from typing import Final

from benchmark_manager.domain.validation.kubernetes.pod_check import containers
from benchmark_manager.domain.validation.kubernetes.workload_check import pod_spec
from benchmark_manager.domain.validation.texts.yaml_values import Value
from benchmark_manager.domain.validation.value_findings import Violation
from benchmark_manager.domain.validation.values import mapping

# https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
DIRECTIVES: Final = ("$patch", "$retainKeys", "$setElementOrder/", "$deleteFromPrimitiveList/")
_SERVERS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"})


def lacks_what_wholes_have(manifest: dict[str, Value], violations: Iterable[Violation]) -> bool:
    """Return whether a manifest lacks so much that it must be a part of one.

    Args:
        manifest: the object.
        violations: what Kubernetes' schema refuses in it.
    """
    spec = manifest.get("spec")
    named = isinstance(mapping(manifest.get("metadata")).get("name"), str)
    if not named or not isinstance(spec, dict) or not spec:
        return False
    return _lacks_much(manifest, spec) and not any(
        code == "unknown_field" for _, code, _ in violations
    )


def is_directive(key: Value) -> bool:
    return isinstance(key, str) and key.startswith(DIRECTIVES)


def has_directive(manifest: Value) -> bool:
    """Return whether a mapping in a manifest has a directive of a strategic merge patch."""
    waiting = [manifest]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if any(map(is_directive, node)):
                return True
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return False


def _lacks_much(manifest: dict[str, Value], spec: dict[str, Value]) -> bool:
    kind, (path, pod) = manifest.get("kind"), pod_spec(manifest)
    has_image = any("image" in container for _, container in containers(path, pod))
    if not isinstance(kind, str):
        return False
    if kind in {*_SERVERS, "Job"} and not path:
        # A kind of the same name in another group, such as Volcano's Job.
        return False
    if kind in _SERVERS:
        labels = mapping(mapping(spec.get("template")).get("metadata")).get("labels")
        return "selector" not in spec and (not has_image or not labels)
    if kind == "Job":
        return not has_image and "restartPolicy" not in pod
    if kind == "CronJob":
        return "jobTemplate" not in spec
    return kind == "HorizontalPodAutoscaler" and "scaleTargetRef" not in spec
