"""Ciw: a queueing network, declared; workload C has a balancer node without service time, which cycles."""

import ciw
import workloads


def network(stack: workloads.Stack):
    if stack.instances == 1:
        return ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(rate=stack.arrival_rate)],
            service_distributions=[ciw.dists.Exponential(rate=1 / stack.service)],
            number_of_servers=[stack.servers],
        )
    apps = list(range(2, 2 + stack.instances))
    database = 2 + stack.instances
    to_database = ciw.routing.Probabilistic(destinations=[database], probs=[stack.miss_probability])
    return ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=stack.arrival_rate)] + [None] * (stack.instances + 1),
        service_distributions=[ciw.dists.Deterministic(value=0.0)]
        + [ciw.dists.Exponential(rate=1 / stack.service)] * stack.instances
        + [ciw.dists.Exponential(rate=1 / stack.database)],
        number_of_servers=[float("inf")] + [stack.servers] * stack.instances + [stack.database_servers],
        routing=ciw.routing.NetworkRouting(
            routers=[ciw.routing.Cycle(cycle=apps)]
            + [to_database] * stack.instances
            + [ciw.routing.Leave()]
        ),
    )


def simulate(stack: workloads.Stack, customers: int, seed: int) -> tuple[float, list[float]]:
    ciw.seed(seed)
    simulation = ciw.Simulation(network(stack))
    seconds, _ = workloads.timed(lambda: simulation.simulate_until_max_customers(customers, method="Finish"))
    # A record per visit, kept by each customer; gathering them is not timed.
    arrived: dict[int, float] = {}
    left: dict[int, float] = {}
    for record in simulation.get_all_records():
        number = record.id_number
        arrived[number] = min(record.arrival_date, arrived.get(number, record.arrival_date))
        if record.destination == -1:
            left[number] = record.exit_date
    return seconds, [exit_date - arrived[number] for number, exit_date in left.items()]


if __name__ == "__main__":
    workloads.main("ciw", "ciw", simulate)
