"""Make a release: packages, list of components, checksums, signature and tag.

    make release VERSION=0.2.0                      from a clean working tree
    make release ARGS=--rehearse                    the same without a tag, from any tree
    make release ARGS="--rehearse --commit v0.1.0"  an older commit

Everything is built from the commit (`git archive`), never from the working tree, with the commit's
time as the time of every packed file, so that the same commit gives the same bytes anywhere. The
files go into `dist/`. Publishing is one push of the tag: `.github/workflows/release.yml` builds the
same files, attests them and uploads them with the image.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DIST: Final = ROOT / "dist"
PYTHON: Final = ROOT / ".venv/bin/python"
#: Every file that names the version, with the line that holds it.
VERSIONED: Final = {
    "pyproject.toml": r'^version = "(.+)"$',
    "benchmark_manager/version.py": r'^__version__ = "(.+)"$',
    "Dockerfile": r"^ARG VERSION=(.+)$",
    "benchmark-manager-deployment.yaml": r'^ *app\.kubernetes\.io/version: "(.+)"$',
}


class ReleaseError(Exception):
    """The release cannot be made; the message is one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make release", description=__doc__, add_help=True)
    parser.add_argument("--version", help="what to release; it must be what the files say")
    parser.add_argument("--commit", default="HEAD", help="what to build from (default: HEAD)")
    parser.add_argument("--rehearse", action="store_true", help="build everything, tag nothing")
    options = parser.parse_args(arguments)
    try:
        release(options.version, options.commit, rehearse=options.rehearse)
    except ReleaseError as error:
        print(f"make release: {error}", file=sys.stderr)
        return 1
    return 0


def release(wanted: str | None, commit: str, *, rehearse: bool) -> None:
    """Check, build into `dist/`, and tag unless this is a rehearsal.

    Raises:
        ReleaseError: something is missing or contradicts something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        export(commit, tree)
        version = version_of(tree)
        notes = notes_of((tree / "CHANGELOG.md").read_text("utf-8"), version)
        if not rehearse:
            refuse_unready(wanted, version, notes)
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        build_packages(tree, commit)
        list_components(tree, version)
        (DIST / "NOTES.md").write_text(notes or "Not released yet.\n", "utf-8")
        build_image(tree, version, commit)
    sign(write_checksums())
    if not rehearse:
        tag(version, commit)
    print(f"\n{version} of {git('rev-parse', '--short', commit)} in dist/:")
    for path in sorted(DIST.iterdir()):
        print(f"  {path.stat().st_size:>9,}  {path.name}")
    if not rehearse:
        print(f"\nTo publish it: git push origin v{version}")


def git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return str(ran.stdout).strip()


def export(commit: str, folder: Path) -> None:
    """Write the commit's files into the folder, and the scripts built from them."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", commit], cwd=ROOT, check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    subprocess.run(["make", "--silent", "frontend"], cwd=folder, check=True)


def version_of(tree: Path) -> str:
    """The version that all files of the tree name.

    Raises:
        ReleaseError: they name different ones, or one names none.
    """
    found: dict[str, str] = {
        f"{name}: {version}": version
        for name, pattern in VERSIONED.items()
        for version in re.findall(pattern, (tree / name).read_text("utf-8"), re.MULTILINE) or ["?"]
    }
    if len(set(found.values())) != 1 or "?" in found.values():
        raise ReleaseError(f"the files name different versions: {', '.join(found)}")
    [version] = set(found.values())
    return version


def notes_of(changelog: str, version: str) -> str | None:
    """What the changelog says of the version; None where it has no dated section of it."""
    heading = rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## \[|\Z)"
    found = re.search(heading, changelog, re.MULTILINE | re.DOTALL)
    return found[1].strip() + "\n" if found else None


def refuse_unready(wanted: str | None, version: str, notes: str | None) -> None:
    """Refuse a release that is not what its maker thinks it is.

    Raises:
        ReleaseError
    """
    if wanted != version:
        raise ReleaseError(f"the files name version {version}; give VERSION={version}")
    if notes is None:
        today = datetime.now(UTC).date().isoformat()
        raise ReleaseError(f"CHANGELOG.md needs the heading: ## [{version}] - {today}")
    if git("status", "--porcelain"):
        raise ReleaseError("the working tree has changes; commit them first")
    if git("tag", "--list", f"v{version}"):
        raise ReleaseError(f"the tag v{version} exists; raise the version")


def build_packages(tree: Path, commit: str) -> None:
    """Build the sdist and the wheel, with a build backend whose hash is pinned."""
    made_at = git("log", "-1", "--format=%ct", commit)
    subprocess.run(
        [PYTHON, "-m", "hatchling", "build", "-d", DIST],
        cwd=tree,
        check=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": made_at},
    )


def list_components(tree: Path, version: str) -> None:
    """Write the components that a pinned installation has, in CycloneDX's JSON."""
    for requirements, name in (("requirements", "all"), ("requirements-server", "server")):
        subprocess.run(
            [
                *(PYTHON, "-m", "cyclonedx_py", "requirements", "--output-reproducible"),
                *("--pyproject", "pyproject.toml", "--output-format", "JSON"),
                *("-o", DIST / f"benchmark_manager-{version}.{name}.cdx.json"),
                f"{requirements}.txt",
            ],
            cwd=tree,
            check=True,
            # It warns that a requirements file does not say which package needs which.
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )


def build_image(tree: Path, version: str, commit: str) -> None:
    """Build the image where a container engine answers; say so where none does."""
    engine = next((name for name in ("docker", "podman") if _answers(name)), None)
    if engine is None:
        print("No container engine answers: the image is not built.")
        return
    revision = git("rev-parse", commit)
    given = ["--build-arg", f"VERSION={version}", "--build-arg", f"REVISION={revision}"]
    subprocess.run(
        [engine, "build", *given, "-t", f"benchmark-manager:{version}", "."], cwd=tree, check=True
    )


def _answers(engine: str) -> bool:
    found = shutil.which(engine)
    if found is None:
        return False
    return subprocess.run([found, "info"], check=False, capture_output=True).returncode == 0


def write_checksums() -> Path:
    """Write SHA256SUMS of everything in `dist/`, as `sha256sum --check` reads it."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(DIST.iterdir())
    ]
    sums = DIST / "SHA256SUMS"
    sums.write_text("".join(lines), "utf-8")
    return sums


def sign(sums: Path) -> None:
    """Sign the checksums with the ssh key that SIGNING_KEY names; without one, say so."""
    key = os.environ.get("SIGNING_KEY")
    if not key:
        print("SIGNING_KEY names no ssh key: SHA256SUMS is not signed.")
        return
    subprocess.run(["ssh-keygen", "-Y", "sign", "-n", "file", "-f", key, sums], check=True)


def tag(version: str, commit: str) -> None:
    """Tag the commit, signed where git has a key for it."""
    signed = (
        "--sign" if git("config", "--default", "", "--get", "user.signingkey") else "--annotate"
    )
    git("tag", signed, f"v{version}", "-m", f"Benchmark Manager {version}", commit)


if __name__ == "__main__":
    sys.exit(main())
