"""Manifests, and settings that they name, that cost much."""

from typing import Final

from support.hostile.text import READS, HostileTexts, Texts, numbered, repeated

TEXTS: Final = HostileTexts()


def _manifest(container: str, more: str = "") -> str:
    return (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: run}\nspec:\n"
        "  template:\n    spec:\n      restartPolicy: Never\n"
        f"{more}      containers:\n      - name: main\n        image: x\n"
        f"        resources: {{limits: {{nvidia.com/gpu: 4}}}}\n{container}"
    )


TEXTS.add(
    "gpu: a long word in args",
    "gpu",
    "job",
    make=lambda size: _manifest(f"        args: [{'x' * size}]\n"),
)
TEXTS.add(
    "gpu: endings inside a word",
    "gpu",
    "job",
    make=lambda size: _manifest(f"        args: [a{'.yamlx' * (size // 6)}]\n"),
)
TEXTS.add(
    "gpu: endings in command",
    "gpu",
    make=lambda size: _manifest(f"        command: [{'.yaml.' * (size // 6)}x]\n"),
)
TEXTS.add(
    "gpu: dots in a word", "gpu", make=lambda size: _manifest(f"        args: [a{'.' * size}]\n")
)
TEXTS.add(
    "gpu: long words in fifty variables",
    "gpu",
    "job",
    make=lambda size: _manifest(
        "        env:\n"
        + "".join(f"        - {{name: E{n}, value: {'x' * (size // 75)}}}\n" for n in range(50))
    ),
)
TEXTS.add(
    "gpu: many names of files",
    "gpu",
    make=lambda size: _manifest("        args:\n" + numbered("        - a/b/f{n}.yaml\n")(size)),
)
TEXTS.add(
    "gpu: folders in a name",
    "gpu",
    make=lambda size: _manifest(f"        args: [{'a/' * (size // 2)}tp.yaml]\n"),
)
TEXTS.add(
    "gpu: one long argument many times",
    "gpu",
    "job",
    make=lambda size: _manifest(
        f"        args:\n        - &a {'x' * (size // 2)}\n" + "        - *a\n" * (size // 26)
    ),
)


TEXTS.add(
    "gpu: a script of variables",
    "gpu",
    make=lambda size: _manifest(
        f"        args: [sh, -c, tp.yaml {'$(A) ${B} $C -tp $(A ' * (size // 22)}]\n"
        "        env: [{name: A, value: -x $B}, {name: B, value: -x $(A) --data-parallel-size}]\n"
    ),
)
TEXTS.add(
    "gpu: openings in a script",
    "gpu",
    make=lambda size: _manifest(f"        args: [sh, -c, tp.yaml {'$(a' * (size // 3)}]\n"),
)


@TEXTS.made_by("gpu: settings with many sizes", "gpu")
def _sizes(size: int) -> Texts:
    return _manifest("        args: [tp.yaml]\n"), "".join(
        f"k{n}: {{tensor_parallel_size: {n}}}\n" for n in range(size // 38)
    )


TEXTS.add(
    "job: openings of placeholders in many names",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + numbered("    a_{n}: '${{ $( {{{{ <a'\n")(size)
    ),
)
TEXTS.add(
    "job: one long value with openings of placeholders",
    "job",
    make=lambda size: (
        f"apiVersion: batch/v1\nkind: Job\nmetadata: {{name: '{'${<a$(' * (size // 6)}'}}\n"
    ),
)
TEXTS.add(
    "job: a List of Lists",
    "job",
    "sync",
    make=lambda size: (
        "kind: List\nitems:\n"
        + "- {kind: List, items: [{kind: JobList, items: [{spec: {}}, {$patch: a}]}]}\n"
        * (size // 75)
    ),
)
TEXTS.add(
    "yaml: << many times",
    *READS,
    "merge",
    make=lambda size: "a: &a {x: 1}\nb:\n" + "  <<: *a\n" * (size // 9),
)
TEXTS.add("yaml: keys with invisible characters", *READS, make=numbered("a{n}\u200b: 1\n"))
TEXTS.add("yaml: marks of conflicts", *READS, make=repeated("# \n<<<<<<< \n>>>>>>> \n=======\n"))
TEXTS.add(
    "yaml: marks of templates before a failure",
    *READS,
    make=lambda size: numbered("a{n}: {{{{ x }}}}\n")(size) + "- @",
)
TEXTS.add(
    "job: labels",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + numbered("    a_{n}: '-'\n")(size)
    ),
)
TEXTS.add(
    "job: long labels of dots",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  labels:\n"
        + "".join(f"    {'a.' * 120}{n}/x: v\n" for n in range(size // 260))
    ),
)
TEXTS.add(
    "job: variables",
    "job",
    make=lambda size: _manifest(
        "        env:\n" + repeated("        - {name: A, value: b}\n")(size)
    ),
)
TEXTS.add(
    "job: unknown fields", "job", make=lambda size: _manifest(numbered("        f{n}: x\n")(size))
)
TEXTS.add(
    "job: volumes",
    "job",
    make=lambda size: _manifest(
        "", "      volumes:\n" + repeated("      - {name: v, emptyDir: {sizeLimit: 1x}}\n")(size)
    ),
)
TEXTS.add("job: documents of no object", "job", make=repeated("---\nkind: Job\n"))
TEXTS.add(
    "job: maps of settings",
    "job",
    make=repeated("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
)
TEXTS.add(
    "job: quantities",
    "job",
    make=lambda size: _manifest(
        "        securityContext:\n" + numbered("          a{n}: 1e999\n")(size)
    ),
)
TEXTS.add(
    "job: amounts of many resources",
    "job",
    make=lambda size: _manifest("").replace(
        "nvidia.com/gpu: 4", ", ".join(f"x.y/r{n}: 1e-999" for n in range(size // 20))
    ),
)

TEXTS.add(
    "job: ports of the node",
    "job",
    make=lambda size: _manifest(
        "        ports:\n" + numbered("        - {{containerPort: 80, hostPort: {n}}}\n")(size)
    ),
)
TEXTS.add(
    "job: devices that are mounted",
    "job",
    make=lambda size: _manifest(
        "        volumeMounts:\n"
        + numbered("        - {{name: v{n}, mountPath: /{n}}}\n")(size // 2)
        + "        volumeDevices:\n"
        + numbered("        - {{name: v{n}, devicePath: /{n}}}\n")(size // 2)
    ),
)
TEXTS.add(
    "job: claims of resources",
    "job",
    make=lambda size: _manifest("").replace(
        "resources: {",
        f"resources: {{claims: [{', '.join(f'{{name: c{n}}}' for n in range(size // 12))}], ",
    ),
)
TEXTS.add(
    "job: exit codes of unknown containers",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\n"
        "spec:\n  podFailurePolicy:\n    rules:\n"
        + repeated(
            "    - {action: Count, onExitCodes: {operator: In, values: [1, 2], containerName: a}}\n"
        )(size)
    ),
)
TEXTS.add(
    "job: indexes of a policy",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n  completionMode: Indexed\n"
        "  completions: 100000000\n  successPolicy:\n    rules:\n"
        f"    - succeededIndexes: '{','.join(map(str, range(size // 6)))}'\n"
    ),
)
TEXTS.add(
    "job: a long schedule",
    "job",
    make=lambda size: (
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec:\n"
        f"  schedule: '{'1,' * (size // 2)}1 * * * *'\n"
    ),
)
TEXTS.add(
    "job: keys and values of a Secret",
    "job",
    make=lambda size: (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n"
        f"data:\n  a: {'QUFB' * (size // 8)}-\n" + numbered("  k/{n}: YQ\n")(size // 2)
    ),
)
TEXTS.add(
    "job: spread constraints",
    "job",
    make=lambda size: (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  topologySpreadConstraints:\n"
        + numbered("  - {{maxSkew: 1, topologyKey: a{n}, whenUnsatisfiable: DoNotSchedule}}\n")(
            size
        )
    ),
)
