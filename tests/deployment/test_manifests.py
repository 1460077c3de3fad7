"""The deployment files keep their promises.

To Kubernetes, to Docker, to Settings and to one another.
"""

import json
import re
import tomllib
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from pydantic_core import PydanticUndefined

from benchmark_manager.config import Settings
from benchmark_manager.services.operations.stopping import PROCESS_END
from benchmark_manager.version import __version__

Document = dict[str, Any]

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "benchmark-manager-deployment.yaml"
DATA_DIR = "/var/lib/benchmark-manager"
PORT = 8001
OLDEST_KUBERNETES = "1.27"  # what the manifest's first line promises
SETTINGS = {name.upper() for name in Settings.model_fields}

DOCUMENTS: list[Document] = list(yaml.safe_load_all(MANIFEST.read_text("utf-8")))


def one(kind: str) -> Document:
    (document,) = (each for each in DOCUMENTS if each["kind"] == kind)
    return document


def pod_template() -> Document:
    template: Document = one("Deployment")["spec"]["template"]
    return template


def pod() -> Document:
    spec: Document = pod_template()["spec"]
    return spec


def container() -> Document:
    (only,) = pod()["containers"]
    spec: Document = only
    return spec


def selects(labels: dict[str, str]) -> bool:
    return bool(labels) and labels.items() <= pod_template()["metadata"]["labels"].items()


def dockerfile() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, without comments."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text("utf-8").splitlines() if line[:1] != "#"
    ]
    instructions = re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines()
    return [
        (name, rest) for name, _, rest in (line.partition(" ") for line in instructions if line)
    ]


def final_stage() -> list[tuple[str, str]]:
    instructions = dockerfile()
    start = max(number for number, (name, _) in enumerate(instructions) if name == "FROM")
    return instructions[start:]


def last(name: str) -> str:
    return [rest for each, rest in final_stage() if each == name][-1]


def image_environment() -> dict[str, str]:
    return dict(
        pair.split("=", 1) for name, rest in final_stage() if name == "ENV" for pair in rest.split()
    )


def compose() -> Document:
    document: Document = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return document


class TestKubernetes:
    @pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: str(each["kind"]))
    @pytest.mark.parametrize("version", [OLDEST_KUBERNETES, kubernetes_validate.latest_version()])
    def test_every_document_fits_the_schema(self, document: Document, version: str) -> None:
        kubernetes_validate.validate(document, version, strict=True)

    def test_schema_check_can_fail(self) -> None:
        document = one("Service")
        broken = document | {"spec": document["spec"] | {"port": PORT}}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)

    def test_one_file_holds_all_that_is_needed(self) -> None:
        kinds = sorted(document["kind"] for document in DOCUMENTS)
        assert kinds == [
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Service",
        ]

    def test_namespace_is_the_users_choice(self) -> None:
        assert not [each["kind"] for each in DOCUMENTS if "namespace" in each["metadata"]]

    def test_every_object_has_the_recommended_labels(self) -> None:
        recommended = {
            f"app.kubernetes.io/{key}"
            for key in ("name", "instance", "version", "component", "part-of")
        }
        labels = [each["metadata"]["labels"] for each in [*DOCUMENTS, pod_template()]]
        assert [each for each in labels if not recommended <= each.keys()] == []
        assert {each["app.kubernetes.io/version"] for each in labels} == {__version__}

    def test_every_selector_matches_the_pods(self) -> None:
        assert selects(one("Deployment")["spec"]["selector"]["matchLabels"])
        assert selects(one("Service")["spec"]["selector"])
        assert selects(one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"])
        assert selects(one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"])
        spread = [
            each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]
        ]
        assert [labels for labels in spread if not selects(labels)] == []

    def test_selector_survives_an_upgrade(self) -> None:
        """A Deployment's selector cannot be changed, so no version may stand in it."""
        assert (
            "app.kubernetes.io/version" not in one("Deployment")["spec"]["selector"]["matchLabels"]
        )

    def test_ports_agree_from_the_image_to_the_service(self) -> None:
        (container_port,) = container()["ports"]
        (service_port,) = one("Service")["spec"]["ports"]
        ((policy_port,),) = (rule["ports"] for rule in one("NetworkPolicy")["spec"]["ingress"])
        assert container_port["containerPort"] == service_port["port"] == PORT
        assert service_port["targetPort"] == policy_port["port"] == container_port["name"]
        assert one("ConfigMap")["data"]["PORT"] == last("EXPOSE") == str(PORT)
        assert one("ConfigMap")["data"]["HOST"] == "0.0.0.0"  # noqa: S104 -- the pod's network

    def test_pods_meet_the_restricted_standard(self) -> None:
        """Kubernetes' Pod Security Standard `restricted`, and a read-only root beside."""
        of_pod, of_container = pod()["securityContext"], container()["securityContext"]
        assert of_pod["runAsNonRoot"] is True
        assert f"{of_pod['runAsUser']}:{of_pod['runAsGroup']}" == last("USER")
        assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
        assert of_container["allowPrivilegeEscalation"] is False
        assert of_container["readOnlyRootFilesystem"] is True
        assert of_container["capabilities"] == {"drop": ["ALL"]}
        assert not of_container["privileged"]
        assert pod()["automountServiceAccountToken"] is False
        assert not pod().keys() & {"hostNetwork", "hostPID", "hostIPC"}

    def test_what_the_service_writes_to_is_mounted(self) -> None:
        volumes = {each["name"]: each for each in pod()["volumes"]}
        mounts = {each["mountPath"]: volumes[each["name"]] for each in container()["volumeMounts"]}
        assert mounts.keys() == {DATA_DIR, "/tmp"}  # noqa: S108 -- the pod's own
        assert all("emptyDir" in volume for volume in mounts.values())
        assert one("ConfigMap")["data"]["DATA_DIR"] == DATA_DIR

    def test_pods_reach_dns_mongodb_and_https_only_and_no_metadata_service(self) -> None:
        spec = one("NetworkPolicy")["spec"]
        assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
        ports = [
            {(port["protocol"], port["port"]) for port in rule["ports"]} for rule in spec["egress"]
        ]
        assert ports == [{("UDP", 53), ("TCP", 53)}, {("TCP", 27017)}, {("TCP", 443)}]
        blocks = [peer["ipBlock"] for peer in spec["egress"][2]["to"]]
        excluded = [ip_network(each) for block in blocks for each in block["except"]]
        assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
        metadata = (ip_address("169.254.169.254"), ip_address("fd00:ec2::254"))
        assert [each for each in metadata if not any(each in one for one in excluded)] == []

    def test_liveness_does_not_depend_on_mongodb(self) -> None:
        """/readyz answers 503 while MongoDB is down, and a restart would not mend that."""
        probes = {
            name: container()[f"{name}Probe"]["httpGet"]
            for name in ("startup", "readiness", "liveness")
        }
        paths = {name: probe["path"] for name, probe in probes.items()}
        assert paths == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/livez"}
        assert {probe["port"] for probe in probes.values()} == {"http"}

    def test_start_may_wait_for_mongodb(self) -> None:
        """The service itself gives up after 30 s, with a message; the probe must not come first."""
        startup = container()["startupProbe"]
        assert startup["periodSeconds"] * startup["failureThreshold"] > 30

    def test_a_stop_has_the_time_it_needs(self) -> None:
        """After the pause for load balancers the process ends in time, whatever hangs."""
        _, seconds = container()["lifecycle"]["preStop"]["exec"]["command"]
        assert pod()["terminationGracePeriodSeconds"] > int(seconds) + PROCESS_END
        assert (
            int(compose()["services"]["benchmark-manager"]["stop_grace_period"].removesuffix("s"))
            > PROCESS_END
        )
        assert PROCESS_END < 9  # so that `docker stop`, which waits 10 s, never kills it

    def test_rollout_and_drain_keep_the_service_up(self) -> None:
        spec = one("Deployment")["spec"]
        assert spec["replicas"] >= 2
        assert spec["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert one("PodDisruptionBudget")["spec"]["maxUnavailable"] < spec["replicas"]

    def test_resources_are_bounded(self) -> None:
        resources = container()["resources"]
        assert {"cpu", "memory"} <= resources["requests"].keys() & resources["limits"].keys()

    def test_every_variable_is_a_setting(self) -> None:
        named = one("ConfigMap")["data"].keys() | {each["name"] for each in container()["env"]}
        assert named <= SETTINGS

    def test_the_config_map_holds_valid_settings(self) -> None:
        data = {name.lower(): value for name, value in one("ConfigMap")["data"].items()}
        assert Settings.model_validate(data).port == PORT

    def test_everybody_has_to_sign_in(self) -> None:
        assert one("ConfigMap")["data"]["AUTH"] == "required"

    def test_references_name_what_exists(self) -> None:
        (source,) = container()["envFrom"]
        assert source["configMapRef"]["name"] == one("ConfigMap")["metadata"]["name"]
        created = re.search(r"kubectl create secret generic (\S+)", MANIFEST.read_text("utf-8"))
        assert created
        assert {each["valueFrom"]["secretKeyRef"]["name"] for each in container()["env"]} == {
            created[1]
        }

    def test_the_documented_command_makes_every_required_secret(self) -> None:
        offered = set(re.findall(r"--from-literal=(\w+)=", MANIFEST.read_text("utf-8")))
        keys = {each["name"]: each["valueFrom"]["secretKeyRef"] for each in container()["env"]}
        required = {each["key"] for each in keys.values() if not each.get("optional")}
        assert required == {"MONGO_URL", "SECRET_KEY"}
        assert required <= offered <= {each["key"] for each in keys.values()}

    def test_no_secret_stands_in_the_file(self) -> None:
        secrets = {
            name.upper()
            for name, field in Settings.model_fields.items()
            if "SecretStr" in str(field.annotation)
        }
        assert {"MONGO_URL", "SECRET_KEY", "GITHUB_TOKEN"} <= secrets
        assert not secrets & one("ConfigMap")["data"].keys()
        assert all(each.keys() == {"name", "valueFrom"} for each in container()["env"])


class TestDockerfile:
    def test_user_is_numeric_and_not_root(self) -> None:
        user, group = (int(part) for part in last("USER").split(":"))
        assert user > 0
        assert group > 0

    def test_base_is_pinned_by_digest(self) -> None:
        arguments = dict(
            rest.split("=", 1) for name, rest in dockerfile() if name == "ARG" and "=" in rest
        )
        froms = [rest.split() for name, rest in dockerfile() if name == "FROM"]
        stages = {words[2] for words in froms if words[1:2] == ["AS"]}
        bases = {words[0] for words in froms} - stages
        images = {re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], base) for base in bases}
        assert len(images) == 1  # the virtual environment needs the very Python it was made with
        assert re.fullmatch(r"python:3\.1[12][\w.]*-slim-\w+@sha256:[0-9a-f]{64}", images.pop())

    def test_everything_installed_is_pinned_by_hash(self) -> None:
        steps = " && ".join(rest for name, rest in dockerfile() if name == "RUN").split("&&")
        installs = [step for step in steps if " install " in step and "pip" in step]
        assert [step for step in installs if "requirements-server.txt" in step]
        assert all(
            "--require-hashes" in step or "--no-index --no-deps" in step for step in installs
        )
        # Nothing that a source package would run while it is built.
        assert all("--only-binary=:all:" in step for step in installs if "--no-index" not in step)
        (wheel,) = (step for step in steps if "pip wheel" in step)
        assert {"--no-deps", "--no-build-isolation"} <= set(wheel.split())

    def test_pinned_build_backend_is_the_projects(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        pinned = re.findall(
            r"^([\w-]+)==", (ROOT / "requirements-build.txt").read_text("utf-8"), re.MULTILINE
        )
        wanted = {re.split(r"[<>=~! ]", each)[0] for each in project["build-system"]["requires"]}
        assert wanted <= set(pinned)

    def test_packages_of_the_scripts_are_pinned_by_hash(self) -> None:
        assert not [
            rest
            for name, rest in dockerfile()
            if name == "RUN" and re.search(r"npm (i|install|add)\b", rest)
        ]
        wanted = json.loads((ROOT / "frontend/package.json").read_text("utf-8"))
        versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
        lock = json.loads((ROOT / "frontend/package-lock.json").read_text("utf-8"))
        packages = [package for path, package in lock["packages"].items() if path]
        assert all(package["integrity"].startswith("sha512-") for package in packages)
        assert all(
            package["resolved"].startswith("https://registry.npmjs.org/") for package in packages
        )

    def test_embedded_database_stays_out(self) -> None:
        assert "secantusdb" not in (ROOT / "requirements-server.txt").read_text("utf-8").lower()

    def test_context_holds_what_is_copied_and_nothing_else(self) -> None:
        lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
        patterns = [line for line in lines if line and not line.startswith("#")]
        assert patterns[0] == "*"
        let_in = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
        copies = [
            rest.split()[:-1]
            for name, rest in dockerfile()
            if name == "COPY" and "--from" not in rest
        ]
        assert {source.partition("/")[0] for sources in copies for source in sources} == let_in
        assert all((ROOT / name).exists() for name in let_in)

    def test_wheel_can_be_built_from_what_is_copied(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        needed = {project["project"]["readme"], *project["project"]["license-files"]}
        needed |= set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
        assert needed <= set(
            (ROOT / ".dockerignore").read_text("utf-8").replace("!", "").splitlines()
        )

    def test_listens_where_docker_run_publishes(self) -> None:
        environment = image_environment()
        assert environment["HOST"] == "0.0.0.0"  # noqa: S104 -- the container's network
        assert environment["PORT"] == last("EXPOSE")
        assert last("EXPOSE") == str(PORT)

    def test_no_secret_is_baked_in(self) -> None:
        assert image_environment().keys() & SETTINGS == {"HOST", "PORT", "DATA_DIR"}

    def test_generated_key_has_a_writable_home(self) -> None:
        """Without SECRET_KEY the service writes its key into DATA_DIR, also with `--read-only`."""
        assert image_environment()["DATA_DIR"] == DATA_DIR
        assert json.loads(last("VOLUME")) == [DATA_DIR]
        user, group = last("USER").split(":")
        (makes_it,) = (rest for name, rest in final_stage() if name == "RUN")
        assert re.search(rf"--owner={user} --group=0 --mode=1777 {DATA_DIR}(\s|$)", makes_it)
        assert group == user
        names = [name for name, _ in final_stage()]
        assert names.index("RUN") < names.index("VOLUME")  # what comes later in a volume is lost

    def test_a_change_of_code_makes_only_the_last_layer_anew(self) -> None:
        """The stage of the dependencies does not read the code, and labels come last."""
        stages = " ".join(f"\n{name} {rest}" for name, rest in dockerfile()).split("\nFROM ")
        (dependencies,) = (
            stage
            for stage in stages
            if stage.partition("\n")[0].strip().endswith("AS dependencies")
        )
        assert re.findall(r"COPY (.*)", dependencies) == ["requirements-server.txt ./ "]
        copies = [rest for name, rest in final_stage() if name == "COPY"]
        assert [copy.split()[0] for copy in copies] == ["--from=dependencies", "--from=build"]
        assert copies[1].split()[1:] == ["/own", copies[0].split()[-1]]
        names = [name for name, _ in final_stage()]
        assert names[-3:] == ["ARG", "ARG", "LABEL"]
        assert not set(names[:-3]) & {"ARG", "LABEL"}

    def test_health_check_runs_without_curl_and_past_proxies(self) -> None:
        command = json.loads(last("HEALTHCHECK").partition("CMD ")[2])
        assert command[:2] == ["python", "-c"]
        compile(command[2], "HEALTHCHECK", "exec")
        assert "/health" in command[2]
        assert "ProxyHandler({})" in command[2]

    def test_starts_the_command_of_the_package_as_process_one(self) -> None:
        """The exec form: a shell in between would swallow SIGTERM."""
        (program,) = json.loads(last("ENTRYPOINT"))
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        assert program in project["project"]["scripts"]
        assert json.loads(last("CMD")) == ["serve"]

    def test_image_says_its_version(self) -> None:
        assert last("ARG") == "REVISION=unknown"
        assert ("ARG", f"VERSION={__version__}") in final_stage()
        assert 'image.version="${VERSION}"' in last("LABEL")


class TestCompose:
    def test_service_is_built_from_the_dockerfile(self) -> None:
        service = compose()["services"]["benchmark-manager"]
        assert service["image"] == container()["image"].partition(":")[0]
        assert service["build"] == "."
        assert service["ports"][0].endswith(f":{PORT}")

    def test_service_waits_for_a_writable_replica_set(self) -> None:
        services = compose()["services"]
        assert services["benchmark-manager"]["depends_on"] == {
            "mongodb": {"condition": "service_healthy"}
        }
        check = services["mongodb"]["healthcheck"]["test"]
        name = services["mongodb"]["command"][services["mongodb"]["command"].index("--replSet") + 1]
        assert check[:2] == ["CMD", "mongosh"]
        assert f'_id: "{name}"' in check[-1]
        assert 'host: "mongodb:27017"' in check[-1]
        assert "isWritablePrimary" in check[-1]
        url = services["benchmark-manager"]["environment"]["MONGO_URL"]
        assert url == f"mongodb://mongodb:27017/?replicaSet={name}"

    def test_environment_names_settings_only_and_no_secret(self) -> None:
        environment = compose()["services"]["benchmark-manager"]["environment"]
        # MONGO_URL is given, and only one of both may be.
        assert environment.keys() == SETTINGS - {"MONGO_URL_FILE"}
        assert {environment[name] for name in ("SECRET_KEY", "GITHUB_TOKEN", "WEBHOOK_SECRET")} == {
            None
        }

    def test_everybody_has_to_sign_in_unless_the_shell_says_otherwise(self) -> None:
        environment = compose()["services"]["benchmark-manager"]["environment"]
        assert environment["AUTH"] == "${AUTH:-required}"

    def test_data_outlives_the_containers(self) -> None:
        services, volumes = compose()["services"], compose()["volumes"]
        mounted = {each for service in services.values() for each in service["volumes"]}
        assert mounted == {
            f"data:{DATA_DIR}",
            "mongodb-data:/data/db",
            "mongodb-config:/data/configdb",
        }
        assert {each.partition(":")[0] for each in mounted} == volumes.keys()

    def test_database_is_out_of_reach(self) -> None:
        """It has no login, so only the service may reach it."""
        mongodb = compose()["services"]["mongodb"]
        assert "ports" not in mongodb
        assert [compose()["networks"][name] for name in mongodb["networks"]] == [{"internal": True}]

    def test_database_is_pinned_by_digest(self) -> None:
        assert re.fullmatch(
            r"mongo:\d+\.\d+@sha256:[0-9a-f]{64}", compose()["services"]["mongodb"]["image"]
        )


class TestExampleEnvironment:
    LINES = (ROOT / ".env.example").read_text("utf-8").splitlines()

    def test_names_every_setting_with_its_default(self) -> None:
        matches = [re.fullmatch(r"# ([A-Z_]+)=(.*)", line) for line in self.LINES]
        offered: dict[str, str] = {match[1]: match[2] for match in matches if match}
        assert offered.keys() == SETTINGS
        texts: dict[str, str] = {}
        for name, value in offered.items():
            default = Settings.model_fields[name.lower()].default
            text = ",".join(default) if isinstance(default, tuple) else str(default)
            text = {"True": "on", "False": "off"}.get(text, text)
            # Those of the machine have no default that a file could name.
            texts[name] = value if default in {None, PydanticUndefined} else text
        assert offered == texts

    def test_a_fresh_copy_sets_nothing(self) -> None:
        assert all(not line or line.startswith("#") for line in self.LINES)

    def test_git_ignores_the_copy_and_docker_too(self) -> None:
        assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()
        let_in = [
            line[1:]
            for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
            if line[:1] == "!"
        ]
        assert not [pattern for pattern in let_in if fnmatchcase(".env", pattern)]
