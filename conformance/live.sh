#!/usr/bin/env bash
# The live suite against the control plane that `controlplane.sh with` has started: live.sh PYTHON [pytest's arguments]
set -euo pipefail
python=$1; shift
recorder="$(dirname "$0")/recorder"
exec "$python" -m pytest tests/live -m live -p no:randomly -q -rs --kubeconfig "$KUBECONFIG" --live-exact \
  --live-configure "$recorder/controlplane.sh configure $CONTROLPLANE_STATE" \
  --live-kwok "$recorder/controlplane.sh kwok $CONTROLPLANE_STATE" --live-stages "$recorder/run-times.yaml" "$@"
