#!/usr/bin/env bash
# The live suite against the control plane that `controlplane.sh with` has started: live.sh PYTHON [pytest's arguments]
set -euo pipefail
python=$1; shift
restart="$(dirname "$0")/recorder/controlplane.sh restart-scheduler $CONTROLPLANE_STATE"
exec "$python" -m pytest tests/live -m live -p no:randomly -q --kubeconfig "$KUBECONFIG" --live-exact --live-restart "$restart" "$@"
