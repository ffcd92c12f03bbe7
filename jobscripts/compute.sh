#!/bin/bash
#HSUB --job-name=compute
#HSUB --time=2:00
#HSUB --mem=128M
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# Keeps one core busy. Arguments go on to the program: hsub jobscripts/compute.sh --seconds 30
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/compute_kernel ]]; then
  echo "compute.sh: $bin/compute_kernel is not built: run 'cmake --build build' where you submit," \
    "or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/compute_kernel" "$@"
