#!/usr/bin/env bash
# Writes the runbooks of the samples and shows them to headless Chromium, which the system's package manager installs
# where it is missing; XGEN_CHROMIUM names one that is not on PATH. Playwright has an environment of its own, kept in the cache.
set -euo pipefail
cd "$(dirname "$0")/../.."
chromium=${XGEN_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [ -z "$chromium" ]; then
    as_root=()
    [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
    needed="Chromium is needed and cannot be installed from here: install it (Debian: apt-get install chromium), \
or name one: make test-pages XGEN_CHROMIUM=/path/to/chrome"
    if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
        echo "$needed" >&2
        exit 1
    fi
    echo "Installing chromium"
    if ! { "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null &&
        chromium=$(command -v chromium); }; then
        echo "$needed" >&2
        exit 1
    fi
fi
digest=$(sha256sum requirements/pages.txt | cut -c1-12)
environment="${XGEN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xgen-infra}/pages/$digest"
if [ ! -e "$environment/ready" ]; then
    mkdir -p "$environment"
    .venv/bin/python -m venv --clear "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/pages.txt
    touch "$environment/ready"
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
PYTHONPATH=tests .venv/bin/python -m runbook.recording "$folder"
for outputs in "$folder"/*.json; do
    for kind in html md; do
        .venv/bin/xgen runbook - --output "${outputs%.json}.$kind" <"$outputs" 2>/dev/null
    done
done
# No cluster answers: the page carries marks.
.venv/bin/xgen runbook - --check --kubeconfig "$folder/none" --output "$folder/checked.html" <"$folder/aww.json" >/dev/null 2>&1 || true
XGEN_PAGES="$folder" XGEN_CHROMIUM="$chromium" "$environment/bin/python" -m pytest tests/pages -q -p no:cacheprovider \
    -c /dev/null --rootdir tests/pages --confcutdir tests/pages "$@"
