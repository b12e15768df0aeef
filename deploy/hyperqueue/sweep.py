#!/usr/bin/env python3
"""Runs an experiment in shards with HyperQueue through its Python package, and merges them.

    python deploy/hyperqueue/sweep.py 8 experiments/scaling/vertical_vs_horizontal_io.yaml

Without --server it starts a server and a worker on this machine. Needs `hyperqueue` (see requirements.txt). Tasks made this way
are numbered from 0, so each is told its shard outright instead of by --shard auto.
"""

import argparse
import os
import pathlib
import subprocess
import sys

from hyperqueue import Client, Job, LocalCluster
from hyperqueue.cluster import WorkerConfig


def submit(client, arguments):
    """Submits a task per shard and waits; whether all of them succeeded."""
    job = Job(default_workdir=os.getcwd())
    for index in range(1, arguments.shards + 1):
        shard = f"{index}/{arguments.shards}"
        command = [arguments.scalelab, "run", arguments.experiment, "--shard", shard, "--resume", "--jobs", "1"]
        job.program(command + ["--out", arguments.out] + arguments.options, name=shard, stdout=None, stderr=None)
    return client.wait_for_jobs([client.submit(job)], raise_on_error=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shards", type=int)
    parser.add_argument("experiment")
    parser.add_argument("--server", type=pathlib.Path, help="the folder of a running server")
    parser.add_argument("--out", default="output")
    parser.add_argument("--scalelab", default=os.environ.get("SCALELAB", "scalelab"), help="the program, as workers find it")
    parser.add_argument("options", nargs="*", help="options of `scalelab run`, after --")
    arguments = parser.parse_args()
    if arguments.server:
        submit(Client(arguments.server), arguments)
    else:
        with LocalCluster() as cluster:
            cluster.start_worker(WorkerConfig(cores=os.cpu_count()))
            submit(cluster.client(), arguments)
    name = pathlib.Path(arguments.experiment).stem
    # The merge says which shards are missing.
    merge = [arguments.scalelab, "merge", os.path.join(arguments.out, f"{name}.shards"), "--out", arguments.out]
    return subprocess.run(merge).returncode


if __name__ == "__main__":
    sys.exit(main())
