#!/usr/bin/env bash
# Runs an experiment in shards with GNU parallel, on this machine or by ssh on several, and merges them.
#
#   deploy/parallel/run.sh 8 experiments/scaling/vertical_vs_horizontal_io.yaml [OPTION of scalelab...]
#
# HOSTS="2/one,4/two" runs two jobs at once on `one` and four on `two`; they must share this folder (parallel's --wd .).
set -eu
shards=${1:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
experiment=${2:?usage: run.sh SHARDS EXPERIMENT [OPTION...]}
shift 2
scalelab=${SCALELAB:-scalelab}
name=$(basename "$experiment" .yaml)
where=()
if [ -n "${HOSTS:-}" ]; then
  where=(--sshlogin "$HOSTS" --wd .)
fi
# {#} is the number of the job. A shard that fails is tried twice more and goes on where it was.
seq "$shards" | parallel "${where[@]}" --retries 3 --halt now,fail=1 \
  "$scalelab" run "$experiment" --shard "{#}/$shards" --resume --jobs 1 --quiet "$@"
"$scalelab" merge "output/$name.shards"
