#!/bin/bash
#HSUB --job-name=checkpoint
#HSUB --time=5:00
#HSUB --mem=256M
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
#HSUB --signal=B:USR2@30
#HSUB --requeue
# Computes with checkpoints. USR2 comes 30 s before the time limit: the program writes a
# checkpoint and goes on. TERM ends it with a checkpoint and exit code 85; the job, started
# again under the same id, goes on from there.
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/checkpoint_job ]]; then
  echo "checkpoint.sh: $bin/checkpoint_job is not built: run 'cmake --build build' where you" \
    "submit, or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

echo "start ${HYADES_RESTART_COUNT:-0} of job ${HYADES_JOB_ID:-none}"
# "B:" signals this shell alone. exec makes the program take its place, so no signal is lost on
# the way; until the program listens, an early USR2 must not end the job.
trap '' USR2
exec "$bin/checkpoint_job" --checkpoint "checkpoint-${HYADES_JOB_ID:-local}.state" "$@"
