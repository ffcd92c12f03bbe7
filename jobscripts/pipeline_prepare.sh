#!/bin/bash
#HSUB --job-name=prepare
#HSUB --time=5:00
#HSUB --mem=512M
#HSUB --cpus-per-task=1
#HSUB --output=%x-%j.out
# First of three jobs: draws the images. The other two wait for it with --dependency=afterok.
# DIGITS_DATA names the file they share; by default it lies in the submit directory.
set -euo pipefail

bin=${HYADES_BIN:-${HYADES_SUBMIT_DIR:-$PWD}/build/bin}
if [[ ! -x $bin/prepare_digits ]]; then
  echo "pipeline_prepare.sh: $bin/prepare_digits is not built: run 'cmake --build build' where" \
    "you submit, or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/prepare_digits" --output "${DIGITS_DATA:-digits.data}" "$@"
