"""SimPy: a process per customer, a Resource per station, as in the bank example of its documentation."""

import random

import simpy
import workloads


def simulate(stack: workloads.Stack, customers: int, seed: int) -> tuple[float, list[float]]:
    draw = random.Random(seed)
    env = simpy.Environment()
    instances = [simpy.Resource(env, capacity=stack.servers) for _ in range(stack.instances)]
    database = simpy.Resource(env, capacity=stack.database_servers)
    responses: list[float] = []

    def customer(station: simpy.Resource):
        arrived = env.now
        with station.request() as server:
            yield server
            yield env.timeout(draw.expovariate(1 / stack.service))
        if stack.miss_probability and draw.random() < stack.miss_probability:
            with database.request() as server:
                yield server
                yield env.timeout(draw.expovariate(1 / stack.database))
        responses.append(env.now - arrived)

    def source():
        for number in range(customers):
            yield env.timeout(draw.expovariate(stack.arrival_rate))
            env.process(customer(instances[number % stack.instances]))

    env.process(source())
    seconds, _ = workloads.timed(env.run)
    return seconds, responses


if __name__ == "__main__":
    workloads.main("simpy", "simpy", simulate)
