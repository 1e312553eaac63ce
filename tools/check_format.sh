#!/usr/bin/env bash
# tools/check_format.sh [--fix]: C++ files are formatted as .clang-format says; --fix formats them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Versions of clang-format differ in their results; 19 is the project's.
formatter=$(command -v clang-format-19 || command -v clang-format) || {
  echo 'format: no clang-format-19: tools/install_packages.sh --test installs it' >&2
  exit 1
}
options=(--dry-run -Werror)
case ${1:-} in
  --fix) options=(-i) ;;
  '') ;;
  *) echo "format: unknown argument '$1' (known: --fix)" >&2; exit 2 ;;
esac

mapfile -d '' -t files < <(git ls-files -z -co --exclude-standard -- '*.cpp' '*.hpp')
existing=()
for file in "${files[@]}"; do
  [[ -f $file ]] && existing+=("$file")
done
[[ ${#existing[@]} -gt 0 ]] || exit 0
if ! printf '%s\0' "${existing[@]}" | xargs -0 -n 16 -P "$(nproc)" "$formatter" "${options[@]}"; then
  echo 'format: tools/check_format.sh --fix formats them' >&2
  exit 1
fi
