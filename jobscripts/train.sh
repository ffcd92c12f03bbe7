#!/bin/bash
#HSUB --job-name=train
#HSUB --time=10:00
#HSUB --mem=1G
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# Trains the network on images it draws itself. Arguments go on to the program:
#   hsub jobscripts/train.sh --epochs 6
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/train_cnn ]]; then
  echo "train.sh: $bin/train_cnn is not built: run 'cmake --build build' where you submit," \
    "or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/train_cnn" --require-accuracy 0.95 "$@"
