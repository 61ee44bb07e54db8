#!/usr/bin/env bash
# Builds the targets of the Containerfile and uses them as clients do. Needs podman or docker, and a package index.
# Usage: container.sh PYTHON, a Python with the development dependencies. Settings:
#   ENGINE         podman (the default) or docker, with options of its own
#   BASE           an image with Python 3.13 as `python`; without it, the one that the Containerfile names
#   DEBIAN         trixie: make that image of Debian's packages, where no registry is reached; needs root and debootstrap
#   BUILD_OPTIONS  say --volume "$PWD/pip.conf:/etc/pip.conf:ro" for an index of one's own
#   RUN_OPTIONS    what this machine's engine wants
set -euo pipefail
python=$1
engine=${ENGINE:-podman} base=${BASE:-} folder=build/container
cd "$(dirname "$0")/../.."
mkdir -p "$folder"

if [[ -n ${DEBIAN:-} ]]; then
    base=localhost/bi-mcp-base:$DEBIAN
    [[ -e $folder/$DEBIAN/etc/debian_version ]] ||
        debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates "$DEBIAN" "$folder/$DEBIAN" >"$folder/debootstrap.log"
    ln -sf python3 "$folder/$DEBIAN/usr/bin/python"
    tar -C "$folder/$DEBIAN" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./proc/*' -c . |
        $engine import - "$base" >/dev/null
fi
sed "s|docker.io/library/python:3.13-slim|${base:-&}|" Containerfile >"$folder/Containerfile"

export BUILDAH_FORMAT=docker
for target in stdio connector http; do
    # shellcheck disable=SC2086  options are words
    $engine build ${BUILD_OPTIONS:-} --file "$folder/Containerfile" --target "$target" --tag "bi-mcp-check:$target" . >"$folder/$target.log"
done
exec "$python" -m tests.container_smoke "$engine" "${RUN_OPTIONS:-}"
