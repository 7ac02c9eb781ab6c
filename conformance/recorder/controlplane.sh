#!/usr/bin/env bash
# A real Kubernetes control plane with KWOK on loopback, without Docker.
#   controlplane.sh build                    build what is missing in the cache (minutes the first time)
#   controlplane.sh up STATE                 start everything, keep its state in the folder STATE, print the kubeconfig's path
#   controlplane.sh down STATE               stop what `up` started and remove STATE
#   controlplane.sh configure STATE          end the scheduler and KWOK and start them anew, with the environment of now
#   controlplane.sh kwok STATE stop|start NAME   end one KWOK process, start it again
#   controlplane.sh with COMMAND...          up, run COMMAND with $KUBECONFIG and $CONTROLPLANE_STATE, down
#   controlplane.sh where                    print the folder with the programs
# Environment: KUBE_VERSION (what go.mod pins), KWOK_VERSION (0.7.0), PARALLELISM (1), SCHEDULER_CONFIG (a file instead of
#   the default configuration), SCHEDULER_FLAGS, SCHEDULER_VERBOSITY, WITHOUT ("scheduler kwok": parts to leave out),
#   KWOK_PROCESSES ("a=pool=x b=pool=y": names and the labels of their nodes, instead of one for all nodes), KWOK_STAGES
#   (a file of Stages for pods beside the fast pod-ready and pod-delete)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
pinned=$(sed -n 's#^\tk8s.io/kubernetes v##p' "$here/go.mod")
kube=${KUBE_VERSION:-$pinned}
kwok=${KWOK_VERSION:-0.7.0}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gpusched/kubernetes-$kube-kwok-$kwok

module() { # print the folder of the module that pins $kube
  if [ "$kube" = "$pinned" ]; then echo "$here"; return; fi
  local copy=$cache/module
  if [ ! -f "$copy/go.sum" ]; then
    mkdir -p "$copy"
    cp -r "$here/cmd" "$copy/"
    sed -e "s/v$pinned/v$kube/" -e "s/v0.${pinned#1.}/v0.${kube#1.}/" "$here/go.mod" >"$copy/go.mod"
    (cd "$copy" && go mod tidy >&2)
  fi
  echo "$copy"
}
sources() { (cd "$1" && cat go.mod go.sum cmd/*/*.go | sha256sum | cut -d' ' -f1); }
build() {
  mkdir -p "$cache"
  local from now
  if [ -f "$cache/pod-ready.yaml" ] && [ -f "$cache/sources" ] && from=$(module) && [ "$(cat "$cache/sources")" = "$(sources "$from")" ]; then return; fi
  command -v go >/dev/null || { echo "Go 1.26 is missing: the control plane is built from Go modules (https://go.dev/dl)" >&2; exit 3; }
  from=$(module); now=$(sources "$from")
  local v=k8s.io/component-base/version minor=${kube#*.}
  (cd "$from" && go build -ldflags "-X $v.gitVersion=v$kube -X $v.gitMajor=${kube%%.*} -X $v.gitMinor=${minor%%.*}" -o "$cache/" ./cmd/...)
  GOBIN=$cache go install "sigs.k8s.io/kwok/cmd/kwok@v$kwok"
  local stages; stages=$(cd "$from" && go mod download -json "sigs.k8s.io/kwok@v$kwok" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')/kustomize/stage/pod/fast
  install -m 644 "$stages/pod-ready.yaml" "$stages/pod-delete.yaml" "$cache/"
  echo "$now" >"$cache/sources"
}
wants() { [[ " ${WITHOUT:-} " != *" $1 "* ]]; }
free_ports() { # COUNT: ports that nobody listens on
  python3 -c 'import socket, sys
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(each.getsockname()[1] for each in held))' "$1"
}
start() { # NAME COMMAND...: run it in the background, out of reach of the terminal's Ctrl-C, keep its process id
  local name=$1 alone=nohup; shift
  command -v setsid >/dev/null && alone=setsid
  "$alone" "$@" </dev/null >>"$name.log" 2>&1 & echo $! >"$name.pid"
}
stop() { # NAME: ask, wait, insist; the API server can hang on the way down once etcd is gone
  local pid
  [ -f "$1.pid" ] || return 0
  pid=$(cat "$1.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
  rm -f "$1.pid"
}
write_access() { # PORT TOKEN: who may come in, and how
  openssl genrsa -out sa.key 2048 2>/dev/null; openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
  echo "$2,admin,admin,\"system:masters\"" >tokens.csv
  cat >kubeconfig <<K
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:$1", certificate-authority: certs/apiserver.crt}}]
users: [{name: u, user: {token: $2}}]
contexts: [{name: gpusched-conformance, context: {cluster: c, user: u}}]
current-context: gpusched-conformance
K
}
write_configuration() { # the scheduler's, with our client
  local client="clientConnection: {kubeconfig: $PWD/kubeconfig, qps: 1000, burst: 2000}"
  if [ -n "${SCHEDULER_CONFIG:-}" ]; then
    { grep -Ev '^(parallelism|leaderElection|clientConnection):' "$SCHEDULER_CONFIG"
      echo "parallelism: ${PARALLELISM:-1}"; echo "leaderElection: {leaderElect: false}"; echo "$client"; } >scheduler.yaml
    return
  fi
  cat >scheduler.yaml <<K
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
parallelism: ${PARALLELISM:-1}
leaderElection: {leaderElect: false}
$client
K
}
start_scheduler() {
  # shellcheck disable=SC2086 - flags are words
  start scheduler "$cache/controlplane" scheduler --config scheduler.yaml --secure-port 0 -v "${SCHEDULER_VERBOSITY:-1}" ${SCHEDULER_FLAGS:-}
}
configure_kwok() { # write down the command line of each KWOK process: one argument a line
  local each selector
  rm -f kwok-*.args
  [ -z "${KWOK_STAGES:-}" ] || for each in "$cache/pod-ready.yaml" "$cache/pod-delete.yaml" "$KWOK_STAGES"; do echo ---; cat "$each"; done >stages.yaml
  for each in ${KWOK_PROCESSES:-kwok=}; do
    selector=${each#*=}
    { printf '%s\n' --kubeconfig kubeconfig --node-lease-duration-seconds 40
      if [ -n "$selector" ]; then echo "--manage-nodes-with-label-selector=$selector"; else echo --manage-all-nodes; fi
      [ -z "${KWOK_STAGES:-}" ] || printf '%s\n' --config stages.yaml; } >"kwok-${each%%=*}.args"
  done
}
start_kwok() { # NAME
  local arguments; mapfile -t arguments <"kwok-$1.args"
  start "kwok-$1" "$cache/kwok" "${arguments[@]}"
}
start_all_kwok() { local each; configure_kwok; for each in kwok-*.args; do each=${each#kwok-}; start_kwok "${each%.args}"; done; }
stop_all_kwok() { local each; for each in kwok-*.pid; do stop "${each%.pid}"; done; }
up() {
  build
  (umask 077; mkdir -p "$1"); cd "$1"; umask 077
  local token api client peer
  token=$(openssl rand -hex 16); read -r api client peer < <(free_ports 3)
  write_access "$api" "$token"; write_configuration
  start etcd "$cache/controlplane" etcd --data-dir "$PWD/etcd" --unsafe-no-fsync \
    --listen-client-urls "http://127.0.0.1:$client" --advertise-client-urls "http://127.0.0.1:$client" \
    --listen-peer-urls "http://127.0.0.1:$peer" --initial-advertise-peer-urls "http://127.0.0.1:$peer" \
    --initial-cluster "default=http://127.0.0.1:$peer"
  start apiserver "$cache/controlplane" apiserver --etcd-servers "http://127.0.0.1:$client" --secure-port "$api" --bind-address 127.0.0.1 \
    --cert-dir "$PWD/certs" --service-cluster-ip-range 10.96.0.0/16 --service-account-issuer https://kubernetes.default.svc \
    --service-account-key-file sa.pub --service-account-signing-key-file sa.key --token-auth-file tokens.csv \
    --authorization-mode AlwaysAllow --anonymous-auth=false --disable-admission-plugins ServiceAccount
  local ready=
  for _ in $(seq 240); do
    curl -fsk -H "Authorization: Bearer $token" "https://127.0.0.1:$api/readyz" >/dev/null 2>&1 && { ready=yes; break; }; sleep 0.5
  done
  [ -n "$ready" ] || { echo "the API server does not become ready; see $PWD/apiserver.log" >&2; return 4; }
  wants controllers && start controllers "$cache/controlplane" controllers --kubeconfig kubeconfig --leader-elect=false \
    --service-account-private-key-file sa.key --secure-port 0
  wants scheduler && start_scheduler
  wants kwok && start_all_kwok
  echo "$PWD/kubeconfig"
}
down() {
  [ -d "$1" ] || return 0
  (cd "$1" && stop_all_kwok && for part in scheduler controllers apiserver etcd; do stop "$part"; done)
  [ -n "${KEEP_LOGS:-}" ] || rm -rf "$1"
}
with() {
  local state; state=$(mktemp -d)
  # shellcheck disable=SC2064 - the folder of now
  trap "down '$state'" EXIT
  trap 'kill "$(jobs -p)" 2>/dev/null || true; wait; exit 130' INT TERM HUP
  (up "$state" >/dev/null)
  KUBECONFIG=$state/kubeconfig CONTROLPLANE_STATE=$state "$@" &
  wait $!
}
case "${1:-}" in
  build) build ;;
  up) up "${2:?a folder for its state}" ;;
  down) down "${2:?the folder of its state}" ;;
  configure) cd "${2:?the folder of its state}"; stop scheduler; stop_all_kwok; write_configuration; start_scheduler; start_all_kwok ;;
  kwok) cd "${2:?the folder of its state}"; case "${3:-}" in stop) stop "kwok-${4:?its name}" ;; *) start_kwok "${4:?its name}" ;; esac ;;
  with) shift; with "$@" ;;
  where) echo "$cache" ;;
  *) sed -n '2,13p' "$0"; exit 2 ;;
esac
