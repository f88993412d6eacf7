#!/usr/bin/env bash
# A soak test: reads memory before, during and after a load, then lets leaktrend judge what stays.
#
#   soak.sh CONTAINERS LOAD...     CONTAINERS: a regular expression on rows of docker stats; LOAD: a command that ends
#
# WARM_UP: a command that makes a warm-up load, for a service that has just started; memory is read once it has ended.
# BEFORE_SECONDS (1200): how long memory is read before the load: 15 minutes in which it settles, 5 of the level.
# AFTER_SECONDS (1500): how long it is read after the load.
# SAMPLE_SECONDS (10): time between two readings.  OUT (soak): the folder for everything that is written.
# BASE: the verdict.json of a known good run, to compare with.
#
# The exit code is that of leaktrend: 0 passed, 1 failed, 3 inconclusive; 2 when there is nothing to judge.
set -euo pipefail

if [ $# -lt 2 ]; then
  sed -n 's/^#   //p' "$0" >&2
  exit 2
fi
# Found missing after the load, either would have cost an hour.
command -v docker >/dev/null || { echo "soak.sh needs \`docker\`, which is not on the PATH" >&2; exit 2; }
command -v leaktrend >/dev/null || {
  echo "soak.sh needs \`leaktrend\`, which is not on the PATH: build it by \`cargo build --release\`, then" >&2
  echo "  export PATH=/path/to/leaktrend/target/release:\$PATH" >&2
  exit 2
}
containers=$1
shift
out=${OUT:-soak}
log=$out/memory-usage.log
mkdir -p "$out"
: >"$log"

# One reading: the rows of docker stats, each with its time.
sample() {
  local rows
  if rows=$(docker stats --no-stream | grep -E -- "$containers"); then
    local now
    now=$(date -u +%FT%TZ)
    printf '%s\n' "$rows" | sed "s/^/$now /" >>"$log"
  else
    echo "no row of docker stats matches \`$containers\`" >&2
  fi
  sleep "${SAMPLE_SECONDS:-10}"
}

sample_for() {
  local end=$(($(date +%s) + $1))
  while [ "$(date +%s)" -lt "$end" ]; do sample; done
}

if [ -n "${WARM_UP:-}" ] && ! bash -c "$WARM_UP" >"$out/warm-up.log" 2>&1; then
  echo "the warm-up load failed: see $out/warm-up.log" >&2
  exit 2
fi
sample_for "${BEFORE_SECONDS:-1200}"

load_start=$(date +%s)
"$@" >"$out/load.log" 2>&1 &
load=$!
trap 'kill "$load" 2>/dev/null || true' EXIT
while kill -0 "$load" 2>/dev/null; do sample; done
status=0
wait "$load" || status=$?
load_end=$(date +%s)
trap - EXIT
if [ "$status" -ne 0 ]; then
  echo "the load ended with status $status: see $out/load.log" >&2
  exit 2
fi

sample_for "${AFTER_SECONDS:-1500}"

status=0
leaktrend analyze "$log" --load "$load_start..$load_end" --out "$out/report" --junit "$out/junit.xml" || status=$?
if [ -n "${BASE:-}" ] && [ "$status" -ne 2 ]; then
  compared=0
  leaktrend compare "$BASE" "$out/report/verdict.json" --markdown "$out/comparison.md" || compared=$?
  # A failure of either is one; then an open question of either.
  for code in 1 2 3 0; do
    if [ "$status" -eq "$code" ] || [ "$compared" -eq "$code" ]; then exit "$code"; fi
  done
fi
exit "$status"
