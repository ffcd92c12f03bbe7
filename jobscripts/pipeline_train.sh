#!/bin/bash
#HSUB --job-name=train
#HSUB --time=10:00
#HSUB --mem=1G
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# Second of three jobs: trains on the prepared images and writes the weights (DIGITS_MODEL).
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/train_cnn ]]; then
  echo "pipeline_train.sh: $bin/train_cnn is not built: run 'cmake --build build' where you" \
    "submit, or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/train_cnn" --data "${DIGITS_DATA:-digits.data}" \
  --model "${DIGITS_MODEL:-digits.safetensors}" --require-accuracy 0.95 "$@"
