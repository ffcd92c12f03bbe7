#!/bin/bash
#HSUB --job-name=evaluate
#HSUB --time=5:00
#HSUB --mem=1G
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# Last of three jobs: tests the trained weights on the images held out.
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/evaluate_cnn ]]; then
  echo "pipeline_evaluate.sh: $bin/evaluate_cnn is not built: run 'cmake --build build' where" \
    "you submit, or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/evaluate_cnn" --data "${DIGITS_DATA:-digits.data}" \
  --model "${DIGITS_MODEL:-digits.safetensors}" --require-accuracy 0.95 "$@"
