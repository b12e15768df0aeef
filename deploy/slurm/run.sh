#!/usr/bin/env bash
# Submits an experiment as a job array and its merge as a job that waits for all tasks.
#
#   deploy/slurm/run.sh 8 experiments/scaling/vertical_vs_horizontal_io.yaml [OPTION...]
set -eu
shards=${1:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
experiment=${2:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
shift 2
name=$(basename "$experiment" .yaml)
folder=$(dirname "$0")
export SHARDS=$shards
array=$(sbatch --parsable --array="1-$shards" "$folder/sweep.sbatch" "$experiment" "$@")
# The merge begins whatever became of the tasks: it says which are missing.
sbatch --parsable --dependency="afterany:${array%%;*}" --job-name=scalelab-merge --output="%x-%j.log" \
  --wrap="${SCALELAB:-scalelab} merge output/$name.shards"
