#!/usr/bin/env bash
# tools/build.sh PRESET [TARGET...]: configures and builds a preset; everything it makes is in build/PRESET.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
preset=${1:?"usage: $0 PRESET [TARGET...]"}
shift

# The release build holds what is shipped; unit tests run in the other presets, where assertions are on.
# So ./run needs no test packages and ./check builds the tests no more often than it runs them. Fuzzers are none of them.
tests=ON
[[ $preset == release || $preset == fuzz* ]] && tests=OFF

# Several work trees of one machine share what was compiled: paths count as relative to the tree.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
# Without this ccache refuses every file that uses the precompiled header.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros,include_file_mtime,include_file_ctime}
export NINJA_STATUS=${NINJA_STATUS:-'[%f/%t, %es] '}

options=(-DCARILLON_BUILD_TESTS="$tests")
# libFuzzer is clang's; the preset names the one of tools/install_packages.sh on Debian 12.
if [[ $preset == fuzz* ]] && ! command -v clang++-19 >/dev/null; then
  options+=(-DCMAKE_CXX_COMPILER=clang++)
fi

log=$root/build/configure-$preset.log
mkdir -p "$root/build"
if ! cmake -S "$root" --preset "$preset" "${options[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
if [[ -n ${CONFIGURE_ONLY:-} ]]; then
  exit 0
fi
exec cmake --build "$root/build/$preset" ${1:+--target "$@"}
