#!/usr/bin/env bash
# Runs the fuzzers of tests/fuzz; its README says what they assert. Builds them first (preset `fuzz`, clang).
#
#   tools/fuzz.sh [--seconds N | --minutes N] [--jobs N] [TARGET...]   each target so long; 10 seconds if nothing is said
#   tools/fuzz.sh --canary [--jobs N] [TARGET...]     each harness has to find the mistake that it makes itself
#   tools/fuzz.sh --coverage [TARGET...]              which of its parser's lines the seeds of each target reach
#   tools/fuzz.sh --list                              the targets
#
# What a run has found out stays in build/fuzz/corpus and is where the next one begins; inputs that break something are
# kept in build/fuzz/findings. `build/fuzz/bin/fuzz_TARGET FILE` runs one input.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

canary_seconds=60         # the longest that a harness may need for its own mistake; they take one or two
coverage_percent_min=95   # of the lines of each parser

mode=run
seconds=10
jobs=1
targets=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --seconds) seconds=${2:?"--seconds N"}; shift ;;
    --minutes) seconds=$((${2:?"--minutes N"} * 60)); shift ;;
    --jobs) jobs=${2:?"--jobs N"}; shift ;;
    --canary | --coverage | --list) mode=${1#--} ;;
    --one-run | --one-canary) mode=${1#--} ;;  # called by ourselves, for one target
    -*) echo "fuzz: unknown argument '$1'" >&2; exit 2 ;;
    *) targets+=("$1") ;;
  esac
  shift
done

all_targets() {
  local seeds
  for seeds in tests/fuzz/seeds/*/; do basename "$seeds"; done
}
if [[ ${#targets[@]} -eq 0 ]]; then
  mapfile -t targets < <(all_targets)
fi
for target in "${targets[@]}"; do
  [[ -d tests/fuzz/seeds/$target ]] || { echo "fuzz: no target '$target' (--list names them)" >&2; exit 2; }
done

llvm_tool() { command -v "$1-19" || command -v "$1"; }

# Reports name functions and lines where this is installed.
symbolizer=$(llvm_tool llvm-symbolizer || true)
export ASAN_OPTIONS="detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:external_symbolizer_path=$symbolizer"
export UBSAN_OPTIONS="print_stacktrace=1:external_symbolizer_path=$symbolizer"

# fuzz TARGET SECONDS FINDINGS CORPUS...: the first folder of the corpus grows.
fuzz() {
  local target=$1 time=$2 findings=$3 dictionary=tests/fuzz/dictionaries/$1.dict options=()
  shift 3
  [[ ! -e $dictionary ]] || options+=("-dict=$dictionary")
  # An input takes milliseconds; a hang is what takes a minute, because others may have the cores. Nothing here has a
  # reason to take 256 MB at once.
  nice "build/fuzz/bin/fuzz_$target" -max_total_time="$time" -timeout=60 -report_slow_units=60 -max_len=4096 -rss_limit_mb=1536 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$findings/$target-" "${options[@]}" "$@"
}

one_run() {
  local target=$1 log=build/fuzz/logs/$1.log status=0
  mkdir -p build/fuzz/logs build/fuzz/findings "build/fuzz/corpus/$target"
  fuzz "$target" "$seconds" build/fuzz/findings "build/fuzz/corpus/$target" "tests/fuzz/seeds/$target" >"$log" 2>&1 || status=$?
  if [[ $status -ne 0 ]]; then
    echo "fuzz: $target: FAILED; the end of $log:"
    grep -v '^#' "$log" | tail -n 60
    return 1
  fi
  echo "fuzz: $target: no finding; $(grep '^Done' "$log"), $(sed -n 's/^.* cov: \([0-9]*\) .*/\1 places reached/p' "$log" | tail -n 1)"
}

one_canary() {
  local target=$1 log=build/fuzz/logs/$1.canary.log status=0 folder since=$SECONDS
  mkdir -p build/fuzz/logs
  folder=$(mktemp -d)
  # shellcheck disable=SC2064  # the folder as it is now
  trap "rm -rf '$folder'" EXIT
  mkdir "$folder/corpus"
  CARILLON_FUZZ_CANARY=1 fuzz "$target" "$canary_seconds" "$folder" "$folder/corpus" "tests/fuzz/seeds/$target" >"$log" 2>&1 || status=$?
  if [[ $status -eq 0 ]] || ! grep -q 'does not hold' "$log"; then
    echo "fuzz: $target: FAILED: its own mistake is not found in $canary_seconds s, see $log"
    return 1
  fi
  echo "fuzz: $target: found its own mistake in $((SECONDS - since)) s ($(sed -n 's/.*does not hold: //p' "$log" | head -n 1))"
}

# What a harness covers is said in the file: "// Covers: src/..."
covered_files() { sed -n 's|^// Covers: ||p' "tests/fuzz/$1.cpp" | tr ' ' '\n'; }

coverage_of() {
  local target=$1 folder=build/fuzz-coverage/profiles status=0 files file lines covered
  mkdir -p "$folder"
  LLVM_PROFILE_FILE=$folder/$target.profraw "build/fuzz-coverage/bin/fuzz_$target" -runs=0 "tests/fuzz/seeds/$target" >"$folder/$target.log" 2>&1 ||
    { tail -n 20 "$folder/$target.log"; return 1; }
  "$profdata" merge -sparse "$folder/$target.profraw" -o "$folder/$target.profdata"
  mapfile -t files < <(covered_files "$target")
  [[ ${#files[@]} -gt 0 ]] || { echo "fuzz: $target says not what it covers" >&2; return 1; }
  for file in "${files[@]}"; do
    read -r covered lines < <("$cov" export -summary-only -instr-profile="$folder/$target.profdata" \
      "build/fuzz-coverage/bin/fuzz_$target" "$root/$file" | jq -r '.data[0].totals.lines | "\(.covered) \(.count)"')
    printf '%-20s %-36s %4d of %4d lines  %3d.%d %%\n' "$target" "$file" "$covered" "$lines" \
      $((covered * 100 / lines)) $((covered * 1000 / lines % 10))
    if ((covered < lines)); then
      "$cov" show -use-color=0 -instr-profile="$folder/$target.profdata" "build/fuzz-coverage/bin/fuzz_$target" "$root/$file" |
        grep -E '^ *[0-9]+\| *0\|' | sed 's/^/    /' || true
    fi
    ((covered * 100 > lines * coverage_percent_min)) || status=1
  done
  return "$status"
}

# Each target in a process of its own, so many at a time; all of them, also where one fails.
each() {
  local output failed
  output=$(mktemp)
  printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I '{}' tools/fuzz.sh "$@" '{}' | tee "$output" || true
  failed=$((${#targets[@]} - $(grep -cE '^fuzz: [a-z_]+: (no finding|found its own mistake)' "$output" || true)))
  rm "$output"
  echo "$((${#targets[@]} - failed)) passed, $failed failed"
  [[ $failed -eq 0 ]]
}

case $mode in
  list) printf '%s\n' "${targets[@]}" ;;
  one-run) one_run "${targets[0]}" ;;
  one-canary) one_canary "${targets[0]}" ;;
  run)
    tools/build.sh fuzz "${targets[@]/#/fuzz_}"
    each --one-run --seconds "$seconds"
    ;;
  canary)
    tools/build.sh fuzz "${targets[@]/#/fuzz_}"
    each --one-canary
    ;;
  coverage)
    cov=$(llvm_tool llvm-cov)
    profdata=$(llvm_tool llvm-profdata)
    tools/build.sh fuzz-coverage "${targets[@]/#/fuzz_}"
    status=0
    for target in "${targets[@]}"; do coverage_of "$target" || status=1; done
    [[ $status -eq 0 ]] || echo "fuzz: not every parser is reached above $coverage_percent_min %" >&2
    exit "$status"
    ;;
esac
