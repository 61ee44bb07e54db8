#!/usr/bin/env bash
# Installs the clients and checkers below FOLDER, each in an environment of its own, exactly as the locks say.
# Usage: install.sh PYTHON FOLDER NODE, the last being the folder of the program `node`
set -euo pipefail
python=$1 folder=$2 node=$3 here=$(cd "$(dirname "$0")" && pwd)
locks=$here/../../requirements

rm -rf "$folder"
mkdir -p "$folder"
cp "$here"/package*.json "$folder"
cd "$folder"
ln -s "$here/drivers" drivers

for client in python1 fastmcp4; do
    "$python" -m venv "$client"
    "$client/bin/python" -m pip install --quiet --require-hashes --requirement "$locks/$client.txt"
done

"$node/node" "$node/../lib/node_modules/npm/bin/npm-cli.js" ci --ignore-scripts --no-audit --no-fund --loglevel error
