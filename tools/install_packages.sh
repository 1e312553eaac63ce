#!/usr/bin/env bash
# The one place that lists what Carillon takes from Debian (12 and later), and installs what is missing of it.
#
#   tools/install_packages.sh          what ./run needs: build packages and the npm packages of package-lock.json
#   tools/install_packages.sh --test   in addition what ./check needs
#   tools/install_packages.sh --list   prints all packages and installs nothing
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One requirement per line. `a|b>=V` means: a, or else b of at least version V (the first that exists here is installed).
# libmsgpack-cxx-dev is left out on purpose: on Debian 12 it pulls in Boost 1.74, which conflicts with Boost 1.81.
build_packages=(
  'g++'
  cmake
  ninja-build
  ccache
  mold
  pkg-config
  'libboost1.81-dev|libboost-dev>=1.81'
  libssl-dev
  zlib1g-dev
  libhiredis-dev
  libsimdjson-dev
  libsqlite3-dev
  prometheus-cpp-dev
  libcli11-dev
  libtomlplusplus-dev
  libspdlog-dev
  libfmt-dev
  libcurl4-openssl-dev
  ca-certificates
  git
)
# Only when no Node.js 18 or later with npm is on PATH, wherever it came from.
node_packages=(nodejs npm)
test_packages=(
  libgtest-dev
  libgmock-dev
  redis-server
  haproxy
  nginx
  chromium
  'clang-19|clang>=1:19'
  'libclang-rt-19-dev|libclang-rt-dev>=1:19'
  'llvm-19|llvm>=1:19'
  'clang-tidy-19|clang-tidy>=1:19'
  'clang-format-19|clang-format>=1:19'
  shellcheck
  curl
  jq
  python3
)

say() { printf 'packages: %s\n' "$*"; }
die() { printf 'packages: %s\n' "$*" >&2; exit 1; }

have_node() {
  local version
  command -v npm >/dev/null && version=$(node --version 2>/dev/null) && version=${version#v} && [[ ${version%%.*} -ge 18 ]]
}

# Fills `installed` with name -> version, in one call because dpkg-query takes its time per call.
declare -A installed=()
read_installed() {
  local status name version
  while read -r status name version; do
    [[ $status == installed ]] && installed[$name]=$version
  done < <(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n')
}

# good_version VERSION MINIMUM: an empty minimum is met by every version.
good_version() { [[ -z $2 ]] || dpkg --compare-versions "$1" ge "$2"; }

# Splits one alternative into `name` and `minimum`.
split() {
  name=${1%%>=*}
  minimum=
  [[ $1 == *'>='* ]] && minimum=${1#*>=}
  return 0
}

is_installed() {
  local alternative name minimum
  for alternative in ${1//|/ }; do
    split "$alternative"
    [[ -n ${installed[$name]:-} ]] && good_version "${installed[$name]}" "$minimum" && return 0
  done
  return 1
}

# Prints the first alternative that this Debian offers.
choose() {
  local alternative name minimum candidate
  for alternative in ${1//|/ }; do
    split "$alternative"
    candidate=$(apt-cache policy "$name" 2>/dev/null | sed -n 's/^  Candidate: //p')
    [[ -n $candidate && $candidate != '(none)' ]] && good_version "$candidate" "$minimum" && { echo "$name"; return 0; }
  done
  return 1
}

as_root() {
  if [[ $EUID -eq 0 ]]; then
    env "$@"
  else
    sudo env "$@"
  fi
}

# Debian starts a service as soon as its package is installed. The tests start every Redis and every proxy themselves, on
# free ports, so a system's own would only cost memory, and a test that talks to port 6379 by mistake would pass with it.
# policy-rc.d answering 101 is Debian's way to say "do not start"; one that is already there is left in charge, and
# RUNLEVEL=1 says the same to sysvinit.
policy=/usr/sbin/policy-rc.d
our_policy=no
forbid_services() {
  if [[ ! -e $policy ]]; then
    our_policy=yes
    trap allow_services EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
}
allow_services() {
  if [[ $our_policy == yes ]]; then
    our_policy=no
    as_root rm -f "$policy"
  fi
}

install_missing() {
  local requirement package packages=()
  if [[ $EUID -ne 0 ]] && ! command -v sudo >/dev/null; then
    die "missing: $*. Installing them needs root: run this as root, or install sudo."
  fi
  command -v apt-get >/dev/null || die "missing: $*. This is not a Debian: install their counterparts by hand."
  say "missing: $*"
  say 'apt-get update'
  as_root apt-get update -q
  for requirement in "$@"; do
    package=$(choose "$requirement") || die "this Debian offers no package for '$requirement' (Debian 12 or later is needed)"
    packages+=("$package")
  done
  say "installing ${packages[*]}"
  forbid_services
  # --no-remove: rather stop with apt's explanation than remove a package that somebody here needs.
  as_root DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -q -y --no-install-recommends --no-remove "${packages[@]}"
  allow_services
  # Such packages also enable their service for the next boot.
  local service
  command -v systemctl >/dev/null || return 0
  for service in redis-server haproxy nginx; do
    [[ " ${packages[*]} " == *" $service"* ]] || continue
    as_root systemctl disable --quiet "$service.service" || true
  done
}

install_npm_packages() {
  # npm writes the second file at the end of every install, so it tells whether the lock file has changed since.
  [[ -e $root/package-lock.json ]] || return 0
  [[ $root/package-lock.json -nt $root/node_modules/.package-lock.json ]] || return 0
  say 'npm ci'
  # The browser tests drive Debian's Chromium.
  (cd "$root" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 PUPPETEER_SKIP_DOWNLOAD=1 npm ci --no-audit --no-fund)
}

requirements=("${build_packages[@]}")
case ${1:-} in
  --list)
    printf '%s\n' "${build_packages[@]}" "${node_packages[@]}" "${test_packages[@]}"
    exit 0
    ;;
  --test) requirements+=("${test_packages[@]}") ;;
  '') ;;
  *) die "unknown argument '$1' (known: --test, --list)" ;;
esac
have_node || requirements+=("${node_packages[@]}")

command -v dpkg-query >/dev/null || die 'this is not a Debian: install by hand what --list prints'
read_installed
missing=()
for requirement in "${requirements[@]}"; do
  is_installed "$requirement" || missing+=("$requirement")
done
if [[ ${#missing[@]} -gt 0 ]]; then
  install_missing "${missing[@]}"
fi
have_node || die "Node.js 18 or later with npm is needed, this one is $(node --version 2>/dev/null || echo 'not there')"
install_npm_packages
say 'complete'
