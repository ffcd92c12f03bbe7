#!/bin/bash
#HSUB --job-name=trainhrun
#HSUB --nodes=3
#HSUB --ntasks-per-node=1
#HSUB --time=10:00
#HSUB --mem=1G
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# Trains the network data-parallel, one process a node,
# with hrun: the ranks meet at MASTER_ADDR and MASTER_PORT, without MPI.
# Arguments go on to the program; other numbers of nodes (-N 2, -N 4) give the same weights:
#   hsub -N 2 jobscripts/train_parallel_hrun.sh --epochs 6
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/train_cnn_parallel ]]; then
  echo "train_parallel_hrun.sh: $bin/train_cnn_parallel is not built: run 'cmake --build build' where you" \
    "submit, or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec hrun "$bin/train_cnn_parallel" --require-accuracy 0.95 "$@"
