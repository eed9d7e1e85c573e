"""The files under deploy/, checked as far as possible without a container engine."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it has no types
import pytest
import yaml

from adapters import PLATFORMS
from bot.app import FALLBACK, ROLES
from bot.pipeline.delivery import DRAIN
from bot.settings import Settings
from tests.program import ROOT

DEPLOY = ROOT / "deploy"
ANSWERED = {"/healthz", "/readyz", "/metrics"}
OURS = set(ROLES) - {FALLBACK}
CORE = OURS - set(PLATFORMS)
"""Roles that every recipe with one process per role starts, in addition to its platforms."""
FOREIGN = {
    "PATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PIP_DISABLE_PIP_VERSION_CHECK",
    "PIP_NO_CACHE_DIR",
}


def settings_only(names: Any) -> None:
    assert set(names) - FOREIGN <= set(Settings.environment_names())


def roles_in(words: list[str]) -> set[str]:
    """Return the roles of a command `… run ROLE …`; all of them if none is named."""
    assert words[0] == "run"
    assert set(words[1:]) <= OURS
    return set(words[1:]) or OURS


def compose(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / name).read_text())["services"])


def manifests(kind: str) -> Iterator[dict[str, Any]]:
    for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()):
        if document["kind"] == kind:
            yield document


def pods(kind: str) -> Iterator[dict[str, Any]]:
    for found in manifests(kind):
        yield found["spec"]["template"]["spec"]


def instructions(text: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest) for line in joined.splitlines() if line for word, _, rest in [line.partition(" ")]]


def procfile() -> dict[str, str]:
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())


@pytest.mark.parametrize("version", ["1.28", "1.32", kubernetes_validate.latest_version()])
def test_the_manifests_match_the_schemas_of_kubernetes(version: str) -> None:
    for document in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()):
        kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelled_field_of_a_manifest_is_found() -> None:
    [first, *_] = manifests("Deployment")
    first["spec"]["replica"] = first["spec"].pop("replicas")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(first, kubernetes_validate.latest_version(), strict=True)


def test_recipes_with_a_process_per_role_start_the_core_and_the_same_platforms() -> None:
    replicas = set(compose("compose.replicas.yaml")) - {"valkey"}
    deployments = {role for pod in pods("Deployment") for role in roles_in(pod["containers"][0]["args"])}
    assert set(procfile()) == replicas == deployments
    assert CORE < replicas <= OURS


def test_the_procfile_has_a_line_for_each_role() -> None:
    lines = procfile()
    # Without `exec`, the shell gets the signal, and the manager believes that all ended while posts are still sent.
    assert lines == {role: f"exec paperboy run {role}" for role in lines}


class TestTheImage:
    TEXT = (DEPLOY / "Dockerfile").read_text()
    STEPS = instructions(TEXT)

    def test_is_built_in_stages_from_named_versions_and_ends_as_an_unprivileged_user(self) -> None:
        stages = [rest for word, rest in self.STEPS if word == "FROM"]
        assert len(stages) > 1
        assert all(
            ":" in stage and ":latest" not in stage for stage in stages if not stage.startswith("base")
        )
        last = max(n for n, (word, _) in enumerate(self.STEPS) if word == "FROM")
        assert ("USER", "10001") in self.STEPS[last:]

    def test_copies_only_files_that_exist_and_are_not_ignored(self) -> None:
        let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"}
        copied = [
            source
            for word, rest in self.STEPS
            if word == "COPY" and "--from" not in rest
            for source in rest.split()[:-1]
        ]
        assert set(copied) == let_in
        assert all((ROOT / source).exists() for source in copied)

    def test_sets_only_existing_settings(self) -> None:
        settings_only(
            assignment.partition("=")[0]
            for word, rest in self.STEPS
            if word == "ENV"
            for assignment in shlex.split(rest)
        )

    def test_has_a_health_check(self) -> None:
        (check,) = (rest for word, rest in self.STEPS if word == "HEALTHCHECK")
        command = json.loads(check[check.index("[") :])
        assert command[0] == "python"
        compile(command[2], "HEALTHCHECK", "exec")
        assert "/healthz" in command[2]

    def test_starts_every_role(self) -> None:
        """Docker drops the base stage's command if an entry point is set: `docker run` would show the help."""
        begun = [
            (word, rest) for word, rest in self.STEPS if word in {"ENTRYPOINT", "CMD"} and rest[:1] == "["
        ]
        assert [word for word, _ in begun] == ["ENTRYPOINT", "CMD"] * 2
        assert [json.loads(rest) for word, rest in begun if word == "CMD"] == [["run"]] * 2
        assert ("ENTRYPOINT", '["paperboy"]') in self.STEPS


class TestCompose:
    @pytest.mark.parametrize("name", ["compose.yaml", "compose.replicas.yaml"])
    def test_every_service_is_confined_and_has_time_to_stop(self, name: str) -> None:
        for service, facts in compose(name).items():
            assert "no-new-privileges:true" in facts["security_opt"], service
            assert int(facts["stop_grace_period"].removesuffix("s")) > DRAIN, service
            if service == "valkey":
                assert "noeviction" in facts["command"]
                assert "appendonly" in " ".join(facts["command"])
                continue
            assert facts["read_only"], service
            assert facts["cap_drop"] == ["ALL"], service
            assert facts["depends_on"] == {"valkey": {"condition": "service_healthy"}}
            settings_only(facts["environment"])
            assert (DEPLOY / facts["build"]["context"] / facts["build"]["dockerfile"]).is_file()

    def test_one_container_runs_all_roles(self) -> None:
        assert "command" not in compose("compose.yaml")["paperboy"]  # the image's default: all roles

    def test_each_replicated_service_runs_the_role_in_its_name(self) -> None:
        services = compose("compose.replicas.yaml")
        commands = {name: facts["command"] for name, facts in services.items() if name != "valkey"}
        assert {name: {name} for name in commands} == {
            name: roles_in(words) for name, words in commands.items()
        }
        assert all(services[role]["deploy"]["replicas"] == 2 for role in ("poller", "fanout", "delivery"))


class TestKubernetes:
    def test_there_is_a_deployment_for_each_role(self) -> None:
        roles = [roles_in(pod["containers"][0]["args"]) for pod in pods("Deployment")]
        assert all(len(one) == 1 for one in roles)
        assert len(set(map(min, roles))) == len(roles)

    def test_probes_request_existing_routes(self) -> None:
        for pod in pods("Deployment"):
            (container,) = pod["containers"]
            ports = {port["name"] for port in container["ports"]}
            probes = {
                name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")
            }
            assert {probe["path"] for probe in probes.values()} <= ANSWERED
            assert {probe["port"] for probe in probes.values()} <= ports
            assert probes["readiness"]["path"] == "/readyz"
            assert probes["liveness"]["path"] == "/healthz"

    def test_pods_are_confined_and_have_time_to_stop(self) -> None:
        for pod in (*pods("Deployment"), *pods("StatefulSet")):
            assert pod["terminationGracePeriodSeconds"] > DRAIN
            assert pod["securityContext"]["runAsNonRoot"]
            assert not pod["automountServiceAccountToken"]
            for container in pod["containers"]:
                confined = container["securityContext"]
                assert confined["readOnlyRootFilesystem"]
                assert not confined["allowPrivilegeEscalation"]
                assert confined["capabilities"] == {"drop": ["ALL"]}
                assert "memory" in container["resources"]["limits"]
                mounted = {mount["name"] for mount in container["volumeMounts"]}
                assert mounted <= {v["name"] for v in pod.get("volumes", [])} | {"data"}

    def test_every_selector_matches_a_pod(self) -> None:
        labels = [
            found["spec"]["template"]["metadata"]["labels"]
            for kind in ("Deployment", "StatefulSet")
            for found in manifests(kind)
        ]
        for kind in ("Deployment", "StatefulSet"):
            for found in manifests(kind):
                assert found["spec"]["selector"]["matchLabels"] in labels
        for service in manifests("Service"):
            assert service["spec"]["selector"] in labels

    def test_sets_only_existing_settings(self) -> None:
        (config,) = manifests("ConfigMap")
        settings_only(config["data"])

    def test_the_server_has_a_password_that_every_role_gets(self) -> None:
        names = {service["metadata"]["name"] for service in manifests("Service")}
        (server,) = pods("StatefulSet")
        assert server["containers"][0]["args"][-2:] == ["--requirepass", "$(VALKEY_PASSWORD)"]
        for pod in pods("Deployment"):
            password, url = pod["containers"][0]["env"]
            assert password["valueFrom"]["secretKeyRef"] == {"name": "paperboy-valkey", "key": "password"}
            assert url["name"] == "REDIS_URL"
            assert url["value"].startswith("redis://:$(VALKEY_PASSWORD)@")
            assert url["value"].split("@")[1].split(":")[0] in names

    def test_each_role_gets_only_the_secrets_that_it_needs(self) -> None:
        for pod in pods("Deployment"):
            (container,) = pod["containers"]
            (role,) = container["args"][1:]
            secrets = {one["secretRef"]["name"].removeprefix("paperboy-") for one in container["envFrom"][1:]}
            platforms = {"slack", "discord", "email"}
            expected = {"delivery": platforms, "web": {"slack", "email"}}.get(role, {role} & platforms)
            assert secrets == {"keys", *expected}

    def test_only_paperboy_reaches_the_server_and_only_on_its_port(self) -> None:
        server, ours = manifests("NetworkPolicy")
        (rule,) = server["spec"]["ingress"]
        assert rule["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "paperboy"}}}]
        assert rule["ports"] == [{"port": 6379}]
        assert "egress" not in server["spec"]
        assert server["spec"]["policyTypes"] == ours["spec"]["policyTypes"] == ["Ingress", "Egress"]
        assert ours["spec"]["ingress"] == [{"ports": [{"port": 8080}]}]


def test_fly_keeps_one_machine_awake_with_a_volume() -> None:
    fly = tomllib.loads((DEPLOY / "fly.toml").read_text())
    settings_only(fly["env"])
    assert (DEPLOY / fly["build"]["dockerfile"]).is_file()
    assert f"AS {fly['build']['build-target']}\n" in TestTheImage.TEXT
    assert fly["mounts"][0]["destination"] == fly["env"]["PAPERBOY_DATA_DIR"]
    service = fly["http_service"]
    assert (service["auto_stop_machines"], service["min_machines_running"]) == ("off", 1)
    assert str(service["internal_port"]) == fly["env"]["PORT"] == str(fly["metrics"]["port"])
    assert {check["path"] for check in service["checks"]} | {fly["metrics"]["path"]} <= ANSWERED
    assert fly["kill_timeout"] > DRAIN


def test_railway_keeps_one_container_awake() -> None:
    railway = json.loads((ROOT / "railway.json").read_text())
    assert (ROOT / railway["build"]["dockerfilePath"]).is_file()
    deploy = railway["deploy"]
    assert deploy["healthcheckPath"] in ANSWERED
    assert deploy["drainingSeconds"] > DRAIN
    assert deploy["overlapSeconds"] == 0  # two on one volume would be one too many
    assert (deploy["numReplicas"], deploy["sleepApplication"]) == (1, False)
    shell, option, script = shlex.split(deploy["startCommand"])
    assert (shell, option, script.split()[-2:]) == ("sh", "-c", ["paperboy", "run"])


class TestTheUnit:
    UNIT = DEPLOY / "paperboy.service"
    TEXT = UNIT.read_text()

    def test_lets_paperboy_finish_its_work_and_stop_its_own_server(self) -> None:
        assert "KillMode=mixed\n" in self.TEXT  # SIGTERM is for Paperboy alone, which stops its server
        (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", self.TEXT, re.MULTILINE)
        assert int(seconds) > DRAIN
        assert "RestartPreventExitStatus=78\n" in self.TEXT
        assert "LimitNOFILE=65536\n" in self.TEXT  # connections may use half of them
        assert "SystemCallFilter=setrlimit prlimit64 setpriority\n" in self.TEXT  # of bot.limited_process
        (assignments,) = re.findall(r"^Environment=(.*)$", self.TEXT, re.MULTILINE)
        settings_only(word.partition("=")[0] for word in assignments.split())

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
    def test_is_valid_and_hardly_exposed(self, tmp_path: Path) -> None:
        verified = subprocess.run(
            ["systemd-analyze", "verify", str(self._with_a_program(tmp_path))],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (verified.returncode, verified.stderr) == (0, "")
        exposed = subprocess.run(
            ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(self.UNIT)],
            capture_output=True,
            text=True,
            check=False,
        )
        (level,) = re.findall(r"exposure level for paperboy.service: ([\d.]+)", exposed.stdout)
        assert float(level) < 2.0

    def _with_a_program(self, folder: Path) -> Path:
        """Write the unit with a program that exists on every machine."""
        unit = folder / self.UNIT.name
        unit.write_text(self.TEXT.replace("/opt/paperboy/bin/paperboy", "/bin/true"))
        return unit


def test_third_party_images_are_pinned_by_digest_and_the_same_everywhere() -> None:
    recipes = {path.name: path.read_text("utf-8") for path in DEPLOY.iterdir() if path.is_file()}
    named = {
        image
        for text in recipes.values()
        for image in re.findall(r"^\s*(?:image:|FROM)\s+([a-z0-9./-]+:\S+)", text, re.MULTILINE)
        if not image.startswith("paperboy:")
    }
    assert all(re.fullmatch(r"[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}", image) for image in named), named
    assert len({image.partition(":")[0] for image in named}) == len(named) == 2
