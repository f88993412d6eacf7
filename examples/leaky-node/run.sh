#!/usr/bin/env bash
# A leak from end to end: a server that leaks on one route, load on all of them, and leaktrend to say which.
#
#   run.sh [SECONDS] [FOLDER] [LEAKTREND]
#
# Exits with 0 when `POST /upload` is named as what the resident set and the buffers follow, and keeps 40 KiB of buffers
# per request: 10 % more or less, in less than 200 seconds half more or less, as the interval that is printed says.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-300}
folder=${2:-$(mktemp -d)}
leaktrend=${3:-leaktrend}
port=${PORT:-3791}
mkdir -p "$folder"

node server.js "$folder" "$port" $((seconds < 200 ? 500 : 2000)) &
server=$!
trap 'kill "$server" 2>/dev/null || true' EXIT
for _ in $(seq 50); do
  node -e "require('http').get({port: $port, path: '/health'}, (r) => process.exit(r.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))" && break
  sleep 0.1
done
node load.js "$seconds" "$port" $((seconds < 200 ? 80 : 25))
kill -TERM "$server"
wait "$server" || true

status=0
"$leaktrend" analyze "$folder/memory.jsonl" --requests "$folder/access.log" --json "$folder/verdict.json" || status=$?
[ "$status" -eq 1 ] || { echo "it exited with $status, expected 1: the server leaks" >&2; exit 1; }
node -e '
  const { series } = JSON.parse(require("fs").readFileSync(process.argv[1]));
  // One process is one series: its resident set, and its parts beside that.
  const [process_] = series;
  const amounts = [{ ...process_, id: process_.grows.head }, ...process_.parts];
  const named = (part) => {
    const { causes } = amounts.find(({ id }) => id.endsWith(part));
    const cause = (causes ?? []).find((one) => one.named);
    console.log(`${part}: ${cause ? `${cause.name} keeps ${Math.round(cause.bytes_per_unit.value)} bytes` : "nothing is named"}`);
    return cause ?? { name: "", bytes_per_unit: { value: 0 } };
  };
  const [whole, buffers] = [named("rss"), named("arrayBuffers")];
  const isRight = whole.name === "POST /upload" && buffers.name === "POST /upload"
    && Math.abs(buffers.bytes_per_unit.value / (40 * 1024) - 1) < (process.argv[2] < 200 ? 0.5 : 0.1);
  process.exit(isRight ? 0 : 1);
' "$folder/verdict.json" "$seconds"
