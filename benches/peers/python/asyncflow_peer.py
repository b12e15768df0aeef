"""AsyncFlow: a declared scenario, as a YAML file would hold it; it stops by the clock.

Its steps take constant times. An endpoint is chosen uniformly for each request, though, so 1,000 endpoints whose times are
the conditional means of 1,000 equally likely slices of the exponential law stand for that law; 300 of them then wait for
the database, with times of the same kind in a fixed random pairing. The choice costs no more than with one endpoint.
The database has no servers to queue for: with 16 of them at a load of 3 the law is the same to 1e-6.

Time is scaled so that workload A and B are served in milliseconds, because the engine samples its series by the clock.
"""

import math
import random
import tempfile
from pathlib import Path

import numpy
import simpy
import workloads
import yaml
from asyncflow.runtime.simulation_runner import SimulationRunner

ENDPOINTS = 1_000
# The shortest that an edge may be, in effect [s].
NO_LATENCY = {"mean": 1e-12, "distribution": "exponential"}


def exponential_slices(mean: float, count: int) -> list[float]:
    """Conditional means of `count` equally likely slices of the exponential law, in random order."""

    def below(tail: float) -> float:
        """∫ of the quantile function over the probabilities above `1 − tail`."""
        return mean * (tail - tail * math.log(tail)) if tail > 0 else 0.0

    slices = [
        count * (below((count - index) / count) - below((count - index - 1) / count)) for index in range(count)
    ]
    random.Random(1).shuffle(slices)
    return slices


def scenario(stack: workloads.Stack, unit: float, seconds: int) -> dict:
    misses = round(ENDPOINTS * stack.miss_probability)
    waits = exponential_slices(stack.database * unit, misses)
    endpoints = []
    # The shuffled order pairs the two laws at random.
    for index, service in enumerate(exponential_slices(stack.service * unit, ENDPOINTS)):
        steps = [{"kind": "cpu_bound_operation", "step_operation": {"cpu_time": service}}]
        if index < misses:
            steps.append({"kind": "io_db", "step_operation": {"io_waiting_time": waits[index]}})
        endpoints.append({"endpoint_name": f"/{index}", "steps": steps})
    servers = [
        {
            "id": f"app-{index}",
            "server_resources": {"cpu_cores": stack.servers, "ram_mb": 1024},
            "endpoints": endpoints,
        }
        for index in range(stack.instances)
    ]
    links = [("source", "client")] + [(server["id"], "client") for server in servers]
    nodes: dict = {"client": {"id": "client"}, "servers": servers}
    if stack.instances == 1:
        links.append(("client", servers[0]["id"]))
    else:
        names = [server["id"] for server in servers]
        nodes["load_balancer"] = {"id": "balancer", "algorithms": "round_robin", "server_covered": names}
        links.append(("client", "balancer"))
        links.extend(("balancer", name) for name in names)
    return {
        "rqs_input": {
            "id": "source",
            # Without variance, so that the arrivals are a Poisson stream of constant rate.
            "avg_active_users": {"mean": 60 * stack.arrival_rate / unit, "variance": 0, "distribution": "normal"},
            "avg_request_per_minute_per_user": {"mean": 1, "distribution": "poisson"},
        },
        "topology_graph": {
            "nodes": nodes,
            "edges": [
                {
                    "id": f"{source}-{target}",
                    "source": source,
                    "target": target,
                    "latency": NO_LATENCY,
                    "dropout_rate": 0.0,
                }
                for source, target in links
            ],
        },
        "sim_settings": {"total_simulation_time": seconds, "sample_period_s": 0.1},
    }


def simulate(stack: workloads.Stack, customers: int, seed: int) -> tuple[float, list[float]]:
    unit = 0.020 / stack.service
    # The engine takes whole seconds, at least five.
    horizon = max(5, round(stack.horizon(customers) * unit))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(yaml.safe_dump(scenario(stack, unit, horizon)))
        runner = SimulationRunner.from_yaml(env=simpy.Environment(), yaml_path=path)
    runner.rng = numpy.random.default_rng(seed)
    seconds, results = workloads.timed(runner.run)
    results.process_all_metrics()
    return seconds, [latency / unit for latency in results.latencies]


if __name__ == "__main__":
    workloads.main("asyncflow", "asyncflow-sim", simulate)
