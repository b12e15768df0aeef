"""Happy Simulator: its own source, servers, load balancer and sink; it stops by the clock."""

import random

import numpy
import workloads
from happysimulator import Instant, Server, Simulation, Sink, Source
from happysimulator.components.industrial.conditional_router import ConditionalRouter
from happysimulator.components.load_balancer import LoadBalancer, RoundRobin
from happysimulator.distributions import ExponentialLatency


def simulate(stack: workloads.Stack, customers: int, seed: int) -> tuple[float, list[float]]:
    # Its service times come from the one generator, its arrivals from the other.
    random.seed(seed)
    numpy.random.seed(seed)
    sink = Sink()
    service = ExponentialLatency(stack.service)
    if stack.instances == 1:
        entry = Server("server", concurrency=stack.servers, service_time=service, downstream=sink)
        entities = [entry, sink]
    else:
        database = Server(
            "database",
            concurrency=stack.database_servers,
            service_time=ExponentialLatency(stack.database),
            downstream=sink,
        )
        cache = ConditionalRouter(
            "cache",
            routes=[(lambda _: random.random() < stack.miss_probability, database)],
            default=sink,
        )
        apps = [
            Server(f"app-{index}", concurrency=stack.servers, service_time=service, downstream=cache)
            for index in range(stack.instances)
        ]
        entry = LoadBalancer("balancer", backends=apps, strategy=RoundRobin())
        entities = [entry, *apps, cache, database, sink]
    simulation = Simulation(
        sources=[Source.poisson(rate=stack.arrival_rate, target=entry)],
        entities=entities,
        # An explicit end takes its fast loop.
        end_time=Instant.from_seconds(stack.horizon(customers)),
    )
    seconds, _ = workloads.timed(simulation.run)
    return seconds, sink.latencies_s


if __name__ == "__main__":
    workloads.main("happysim", "happysim", simulate)
