#!/bin/bash
#SBATCH --job-name=memory
#SBATCH --time=2:00
#SBATCH --mem=512M
#SBATCH --cpus-per-task=1
#SBATCH --output=%x-%j.out
# Keeps the memory busy. A script written for Slurm: hsub reads its #SBATCH lines as they are,
# and sbatch takes the same file.
set -euo pipefail

bin=${HYADES_BIN:-${SLURM_SUBMIT_DIR:-${HYADES_SUBMIT_DIR:-$PWD}}/build/bin}
if [[ ! -x $bin/memory_kernel ]]; then
  echo "memory.sh: $bin/memory_kernel is not built: run 'cmake --build build' where you submit," \
    "or set HYADES_BIN to the directory that holds it" >&2
  exit 127
fi

exec "$bin/memory_kernel" "$@"
