"""Commands of the command line that download releases."""

import shlex


def pull_command(digest: str, service_url: str) -> str:
    """Return the command line's command that downloads a release."""
    return f"{_service(service_url)} benchmark-manager pull {digest} --to files"


def pull_cells_command(sweep_id: str, service_url: str) -> str:
    """Return the command line's command that downloads each cell of a sweep."""
    return f"{_service(service_url)} benchmark-manager pull {sweep_id} --cells --to cells"


def upload_command(digest: str, file: str, service_url: str) -> str:
    """Return the command line's command that uploads a result of a release."""
    name = shlex.quote(file)
    return f"{_service(service_url)} benchmark-manager result upload {name} --release {digest}"


def _service(url: str) -> str:
    return f"BENCHMARK_MANAGER_URL={shlex.quote(url)}"
