#!/usr/bin/env bash
# Runs a command with docker, date, sleep and a load that replay a recorded soak: 75 minutes in some seconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
REPLAY_STATE=$(mktemp -d)
trap 'rm -rf "$REPLAY_STATE"' EXIT
echo -1 >"$REPLAY_STATE/frame"
mkfifo "$REPLAY_STATE/load"
export REPLAY_STATE
PATH="$here:$PATH" BEFORE_SECONDS=1200 AFTER_SECONDS=1440 "$@"
