#!/usr/bin/env bash
# Runs an experiment in shards with HyperQueue (server and workers are running) and merges them.
#
#   deploy/hyperqueue/run.sh 8 experiments/scaling/vertical_vs_horizontal_io.yaml [OPTION of scalelab...]
set -eu
shards=${1:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
experiment=${2:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
shift 2
scalelab=${SCALELAB:-scalelab}
name=$(basename "$experiment" .yaml)
hq submit --wait --cpus=1 --array="1-$shards" --name=scalelab --crash-limit=3 \
  "$scalelab" run "$experiment" --shard "auto/$shards" --resume --jobs 1 --quiet "$@"
"$scalelab" merge "output/$name.shards"
