# Sourced by packaging/run and packaging/check: one way to build a preset.
# shellcheck shell=bash
compile_log=$(mktemp)
trap 'rm -f "$compile_log"' EXIT

# As many compilers as there are cores, and 1.5 GB of memory for each.
compile_jobs() {
  local cores memory_kib fits
  cores=$(nproc)
  memory_kib=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  fits=$((memory_kib / 1500000))
  [[ $fits -lt 1 ]] && fits=1
  echo $((cores < fits ? cores : fits))
}

# compile PRESET [TARGET...]: configures and builds. A terminal sees ninja's progress; otherwise there is
# output only when it fails.
compile() {
  local preset=$1
  shift
  local targets=()
  [[ $# -gt 0 ]] && targets=(--target "$@")
  if [[ -t 2 ]]; then
    cmake --preset "$preset" --log-level=WARNING >&2 < /dev/null || return 1
    cmake --build "build/$preset" -j "$(compile_jobs)" "${targets[@]}" >&2 < /dev/null
    return
  fi
  if { cmake --preset "$preset" && cmake --build "build/$preset" -j "$(compile_jobs)" "${targets[@]}"; } \
      > "$compile_log" 2>&1 < /dev/null; then
    return 0
  fi
  grep -nE 'error|Error|FAILED' "$compile_log" | head -60
  tail -40 "$compile_log"
  return 1
}
