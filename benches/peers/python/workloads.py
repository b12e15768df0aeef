"""What the Python peers share: the three workloads, the command line and the line of JSON."""

import argparse
import gc
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """Poisson arrivals, dealt in turn to stations; some customers go on to a database. Times in seconds."""

    arrival_rate: float
    instances: int
    servers: int
    service: float
    miss_probability: float = 0.0
    database_servers: int = 1
    database: float = 1.0

    def horizon(self, customers: int) -> float:
        """The time in which `customers` arrive on average, for engines that stop by the clock."""
        return customers / self.arrival_rate


WORKLOADS = {
    "A": Stack(arrival_rate=0.8, instances=1, servers=1, service=1.0),
    "B": Stack(arrival_rate=0.9 * 16, instances=1, servers=16, service=1.0),
    "C": Stack(
        arrival_rate=1000.0,
        instances=8,
        servers=4,
        service=0.020,
        miss_probability=0.3,
        database_servers=16,
        database=0.010,
    ),
}


def main(engine: str, package: str, simulate: Callable[[Stack, int, int], tuple[float, list[float]]]) -> None:
    """Runs `simulate(stack, customers, seed)`, which returns the seconds of its run and all response times [s]."""
    parser = argparse.ArgumentParser(description=f"Runs a workload on {engine}.")
    parser.add_argument("--workload", choices=WORKLOADS, required=True)
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    identity = {
        "engine": engine,
        "version": importlib.metadata.version(package),
        "workload": arguments.workload,
    }
    seconds, responses = simulate(WORKLOADS[arguments.workload], arguments.customers, arguments.seed)
    if not responses:
        sys.exit(f"{engine}: nobody left")
    responses.sort()
    rank = -(-99 * len(responses) // 100)
    result = {
        # How many really left: engines that stop by the clock meet a Poisson number of customers.
        "customers": len(responses),
        "seconds": seconds,
        "mean": sum(responses) / len(responses),
        "p99": responses[rank - 1],
    }
    print(json.dumps(identity | result))


def timed[T](run: Callable[[], T]) -> tuple[float, T]:
    """Seconds that `run` takes, from a collected heap, and its result. The collector stays on, as in any ordinary run."""
    gc.collect()
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result
