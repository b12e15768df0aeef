#!/usr/bin/env python3
"""Runs an experiment in shards on a Dask cluster and merges them.

    python deploy/dask/sweep.py 8 experiments/scaling/vertical_vs_horizontal_io.yaml --scheduler tcp://host:8786
    python deploy/dask/sweep.py 8 experiments/scaling/vertical_vs_horizontal_io.yaml --local 2

The workers share this folder with the client. A shard whose worker dies is run again elsewhere and goes on where it was.
Needs `dask[distributed]` (see requirements.txt). Options after `--` go to `scalelab run`.
"""

import argparse
import os
import pathlib
import subprocess
import sys

from dask.distributed import Client, LocalCluster, as_completed


def run_shard(program, folder, experiment, out, index, count, options):
    """Runs one shard on a worker and returns what it says."""
    command = [program, "run", experiment, "--shard", f"{index}/{count}", "--resume", "--jobs", "1", "--out", out]
    done = subprocess.run(command + options, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"shard {index}/{count} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=int)
    parser.add_argument("experiment")
    parser.add_argument("--scheduler", help="the address of a running cluster")
    parser.add_argument("--local", type=int, metavar="N", help="start N workers on this machine instead")
    parser.add_argument("--out", default="output")
    parser.add_argument("--scalelab", default=os.environ.get("SCALELAB", "scalelab"), help="the program, as workers find it")
    parser.add_argument("options", nargs="*", help="options of `scalelab run`, after --")
    arguments = parser.parse_args()
    if (arguments.scheduler is None) == (arguments.local is None):
        parser.error("give either --scheduler or --local")

    cluster = None
    if arguments.local:
        cluster = LocalCluster(
            n_workers=arguments.local, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        )
    with Client(cluster or arguments.scheduler) as client:
        shard = [
            client.submit(
                run_shard, arguments.scalelab, os.getcwd(), arguments.experiment, arguments.out, index, arguments.shards,
                arguments.options, pure=False, retries=2,
            )
            for index in range(1, arguments.shards + 1)
        ]
        for done in as_completed(shard):
            print(done.result(), flush=True)
    if cluster:
        cluster.close()

    name = pathlib.Path(arguments.experiment).stem
    merge = [arguments.scalelab, "merge", os.path.join(arguments.out, f"{name}.shards"), "--out", arguments.out]
    return subprocess.run(merge).returncode


if __name__ == "__main__":
    sys.exit(main())
