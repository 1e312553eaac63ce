#!/usr/bin/env bash
# Runs the official protocol test suites (Engine.IO v4, Engine.IO v3, Socket.IO v5), as published with the protocol
# documents, against the example servers. They are fetched for the run and never committed.
#
#   tools/official_suites.sh [SUITE...]     engine-v4, engine-v3, socket-v5; default: all. Each over plain TCP and over TLS
#
#   CARILLON_BIN_DIR         the programs under test; default build/release/bin
#   CARILLON_SUITES_SOURCE   where the official repository is, if not on GitHub: a folder that holds its docs/, or
#                            anything that git can clone
#
# Exit status: 0 all passed; 1 a test failed; 77 the suites cannot be had here, and nothing was tested.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bin=${CARILLON_BIN_DIR:-$root/build/release/bin}
work=$root/build/suites
official=https://github.com/socketio/socket.io
clone_seconds_max=120

say() { printf 'suites: %s\n' "$*"; }
die() { printf 'suites: %s\n' "$*" >&2; exit 1; }
skip() {
  say "SKIPPED, NOTHING WAS TESTED: $*"
  say "Name a copy of $official by CARILLON_SUITES_SOURCE to run them."
  exit 77
}

# suite -> its folder in the official repository, the program that it is for, the program's flags
declare -A folders=([engine-v4]=docs/engine.io-protocol/v4-test-suite [engine-v3]=docs/engine.io-protocol/v3-test-suite
  [socket-v5]=docs/socket.io-protocol/v5-test-suite)
declare -A programs=([engine-v4]=carillon-example-engine-echo [engine-v3]=carillon-example-engine-echo
  [socket-v5]=carillon-example-protocol)
# The suite of version 4 wants version 3 refused.
declare -A flags=([engine-v4]='' [engine-v3]=--allow-eio3 [socket-v5]='')

suites=("$@")
[[ $# -gt 0 ]] || suites=(engine-v4 engine-v3 socket-v5)
for suite in "${suites[@]}"; do
  [[ -n ${folders[$suite]:-} ]] || die "no suite '$suite' (there are: engine-v4, engine-v3, socket-v5)"
  [[ -x $bin/${programs[$suite]} ]] || die "$bin/${programs[$suite]} is missing: build first, or choose the folder with CARILLON_BIN_DIR"
done

# Brings the suites into $work/source.
fetch() {
  local source=${CARILLON_SUITES_SOURCE:-$official} log=$work/fetch.log
  rm -rf "$work/source"
  mkdir -p "$work"
  if [[ -d $source/docs ]]; then
    mkdir "$work/source"
    cp -R "$source/docs" "$work/source/docs"
    say "from the folder $source"
  else
    export GIT_TERMINAL_PROMPT=0
    if ! { timeout "$clone_seconds_max" git clone --quiet --depth 1 --filter=blob:none --no-checkout "$source" "$work/source" &&
      timeout "$clone_seconds_max" git -C "$work/source" checkout --quiet HEAD -- docs; } >"$log" 2>&1; then
      skip "cannot clone $source ($(tail -n 1 "$log"))"
    fi
    say "from $source, commit $(git -C "$work/source" rev-parse HEAD)"
  fi
}

# The address is the one thing that a suite fixes and a run has to choose.
prepare() {
  local folder=$work/source/${folders[$1]}
  [[ -f $folder/test-suite.js ]] || die "$folder/test-suite.js is missing: has the official repository moved it?"
  grep -q '^const URL = "http://localhost:3000";$' "$folder/test-suite.js" ||
    die "$folder/test-suite.js: the line that names the server has changed; this script has to follow"
  sed -i 's|^const URL = .*|const URL = process.env.CARILLON_SUITE_URL;|' "$folder/test-suite.js"
  # What the suite itself needs, in the versions that it names.
  (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts) || die "npm cannot install what $1 needs"
}

server=
stop_server() {
  [[ -n $server ]] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
trap stop_server EXIT

# Some of the tests race: they close something, or let just its time pass, and expect with the next request that the server
# has seen it. On a busy machine the reference server fails about one run in ten, and so would we: two more chances each.
run() {
  local suite=$1 scheme=$2 log=$work/$1-$2.server.log address status=0 options=()
  read -ra options <<<"${flags[$suite]}"
  [[ $scheme == http ]] || options+=(--tls-cert "$work/cert.pem" --tls-key "$work/key.pem")
  say "$suite over $scheme"
  rm -f "$log" # of the run before
  "$bin/${programs[$suite]}" --port 0 "${options[@]}" >"$log" 2>&1 &
  server=$!
  until address=$(sed -n 's/^ready //p' "$log" 2>/dev/null) && [[ -n $address ]]; do
    kill -0 "$server" 2>/dev/null || { cat "$log"; die "${programs[$suite]} does not start"; }
    read -r -t 0.05 <> <(:) || true
  done
  (cd "$work/source/${folders[$suite]}" &&
    CARILLON_SUITE_URL=$scheme://$address NODE_EXTRA_CA_CERTS=$work/cert.pem \
      node_modules/.bin/mocha --reporter spec --forbid-only --retries 2 --exit test-suite.js) || status=1
  stop_server
  return "$status"
}

fetch
for suite in "${suites[@]}"; do prepare "$suite"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/cert.pem" 2>"$work/openssl.log" || die "$(cat "$work/openssl.log")"
failed=0
for scheme in http https; do
  for suite in "${suites[@]}"; do run "$suite" "$scheme" || failed=1; done
done
exit "$failed"
