#!/bin/sh
# Pins every dependency with its hashes, for all platforms at once. Run it as `make requirements`.
set -eu
cd "$(dirname "$0")"
compile() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-strip-extras \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements" "$@"
}
compile pyproject.toml --extra kubernetes --output-file requirements-server.txt
compile pyproject.toml --extra embedded --extra kubernetes --output-file requirements.txt
compile pyproject.toml --extra embedded --extra kubernetes --group dev --output-file requirements-dev.txt
compile --group frontend --output-file requirements-frontend.txt

printf 'hatchling>=1.27\n' | compile - --output-file requirements-build.txt
