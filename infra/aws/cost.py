#!/usr/bin/env python3
"""What imports cost on AWS, and which quota binds first: the tables of README.md, from prices, quotas and the definitions.

cost.py                       prints the tables as the page has them; a test compares
cost.py --seconds 300 --megabytes 500 --cpu 1024 --memory 2048
                              for imports of your own; --help tells the rest

Standard library only. No free tier is counted.
"""

import argparse
import json
from pathlib import Path

# USD, list prices of us-east-1, November 2026. Transitions and Lambda: AWS's own pages; Tokyo's transition costs the same.
# The rest: what several guides of 2026 agree on, since AWS's pages compute theirs in the browser. Look up your region's.
PRICES = {
    "transition": 0.025 / 1000,  # Step Functions, Standard
    "lambda request": 0.20 / 1e6,
    "lambda GB-second": 0.0000166667,  # x86_64; arm64 0.0000133334
    "sqs request": 0.40 / 1e6,  # standard queue; FIFO 0.50
    "vcpu hour": 0.04048,  # Fargate, Linux/X86; ARM 0.03238
    "GB hour": 0.004445,  # Fargate, Linux/X86; ARM 0.00356
    "s3 put": 0.005 / 1000,
    "s3 get": 0.0004 / 1000,
    "s3 GB month": 0.023,
    "log GB": 0.50,
    "alarm metric": 0.10,
    "custom metric": 0.30,  # a month in whose every hour it is written; the first 10,000
    "dashboard": 3.00,
}

# Burst and refill per second, by account and region; "large" are us-east-1, us-west-2 and eu-west-1.
# Sources: "Step Functions service quotas"; "AWS Fargate throttling quotas".
QUOTAS = {
    "StartExecution": {"large": (1300, 300), "others": (800, 150)},
    "state transitions": {"large": (5000, 5000), "others": (800, 800)},
    "SendTaskHeartbeat": {"large": (3000, 500), "others": (1500, 300)},
    "SendTaskSuccess": {"large": (3000, 500), "others": (1500, 300)},
    "RunTask": {"large": (20, 20), "others": (20, 20)},
    "Fargate launches": {"large": (100, 20), "others": (100, 20)},
}
IN_FLIGHT = 120_000  # messages of a queue that have been received and not deleted

STATE_MACHINES = Path(__file__).parent / "../../statemachine"
FARGATE_LEAST_SECONDS = 60  # what Fargate bills at least, from the pull of the image
LAMBDA_SECONDS = 0.1  # an invocation for a batch, two calls a message
LAMBDA_GB = 128 / 1024
BATCH = 10
LOG_BYTES = 4_000  # lines of Lambda and worker for one import
RETENTION_MONTHS = 3  # ObjectExpirationDays
BEAT_SECONDS = 20
POLLERS = 5  # with which Lambda waits at a queue that is empty, 20 s a request
ALARM_METRICS = 9
OWN_METRICS = 14  # of Lambda and worker, without dimensions


def states_passed(machine):
    """How many states an import passes where all goes well, from the definition. Each is a transition."""
    definition = json.loads((STATE_MACHINES / machine).read_text())
    state, passed = definition["StartAt"], 1
    while True:
        here = definition["States"][state]
        following = here.get("Next") or (here["Choices"][0]["Next"] if "Choices" in here else None)
        if following is None:
            return passed
        state, passed = following, passed + 1


def one_import(of):
    """The parts of the price of one import: name, how it is counted, USD."""
    price = PRICES
    transitions = states_passed("import.asl.json")
    vcpu, memory = of.cpu / 1024, of.memory / 1024
    seconds = max(of.seconds, FARGATE_LEAST_SECONDS)
    gigabytes = of.megabytes / 1000
    fargate = (vcpu * price["vcpu hour"] + memory * price["GB hour"]) * seconds / 3600
    # Sent, received in a batch, hidden, deleted.
    requests = 3 + 1 / BATCH
    function = price["lambda request"] / BATCH + price["lambda GB-second"] * LAMBDA_GB * LAMBDA_SECONDS / BATCH
    return [
        ("Fargate", f"{vcpu:g} vCPU, {memory:g} GB, {seconds:g} s", fargate),
        ("Step Functions", f"{transitions} transitions", transitions * price["transition"]),
        ("S3", f"a PUT, a GET, {of.megabytes:g} MB for {RETENTION_MONTHS} months",
         price["s3 put"] + price["s3 get"] + gigabytes * RETENTION_MONTHS * price["s3 GB month"]),
        ("SQS", f"{requests:g} requests", requests * price["sqs request"]),
        ("CloudWatch Logs", f"{LOG_BYTES:,} bytes", LOG_BYTES / 1e9 * price["log GB"]),
        ("Lambda", f"{1 / BATCH:g} invocations, {LAMBDA_SECONDS * 1000:g} ms, {LAMBDA_GB * 1024:g} MB", function),
    ]


def price_table(of):
    parts = one_import(of)
    yield "| part | of one import | one, USD | a million, USD |"
    yield "|---|---|---:|---:|"
    for name, counted, usd in parts:
        yield f"| {name} | {counted} | {usd:.8f} | {usd * 1e6:,.2f} |"
    total = sum(usd for _, _, usd in parts)
    yield f"| together | | {total:.8f} | {total * 1e6:,.2f} |"


def standing(_):
    """What a stack costs in a month in which nothing is imported, USD."""
    polls = POLLERS * 30 * 24 * 3600 / 20
    parts = [
        (f"{ALARM_METRICS} alarm metrics", ALARM_METRICS * PRICES["alarm metric"]),
        ("the dashboard", PRICES["dashboard"]),
        (f"{polls:,.0f} polls of the queue", polls * PRICES["sqs request"]),
    ]
    yield "| a month without an import | USD |"
    yield "|---|---:|"
    for name, usd in parts:
        yield f"| {name} | {usd:.2f} |"
    yield f"| together | {sum(usd for _, usd in parts):.2f} |"
    own = OWN_METRICS * PRICES["custom metric"]
    yield f"| {OWN_METRICS} metrics of the imports, where there are some in every hour | {own:.2f} |"


def calls(of):
    """What one import takes of each quota."""
    return {
        "StartExecution": 1,
        "state transitions": states_passed("import.asl.json"),
        "SendTaskHeartbeat": of.seconds // BEAT_SECONDS + 1,
        "SendTaskSuccess": 1,
        "RunTask": 1,
        "Fargate launches": 1,
    }


def first_refusal(rate, burst, refill, limit=24 * 3600):
    """The second in which a bucket of tokens is first too empty for so many calls a second; None: never within a day."""
    tokens = burst
    for second in range(limit):
        if tokens < rate:
            return second
        tokens = min(burst, tokens - rate + refill)
    return None


def first_overflow(rate, seconds):
    """The second in which more messages are in flight than a queue takes; None: never."""
    for second in range(int(seconds) + 1):
        if rate * min(second, seconds) > IN_FLIGHT:
            return second
    return None


def refusals(of, region, rate):
    """When each quota first refuses something, those that do, the earliest first."""
    found = [(name, first_refusal(rate * takes, *QUOTAS[name][region])) for name, takes in calls(of).items()]
    found.append(("messages in flight", first_overflow(rate, of.seconds)))
    return sorted(((name, second) for name, second in found if second is not None), key=lambda pair: pair[1])


def quota_table(of, region):
    takes = calls(of)
    names = [*QUOTAS, "messages in flight"]
    yield "| quota | one import takes | imports a second that it lets pass | at 10/s | at 100/s | at 1,000/s |"
    yield "|---|---:|---:|---|---|---|"
    for name in names:
        cells = []
        for rate in (10, 100, 1000):
            second = dict(refusals(of, region, rate)).get(name)
            cells.append("holds" if second is None else "refuses at once" if second == 0 else f"refuses after {second} s")
        if name in QUOTAS:
            burst, refill = QUOTAS[name][region]
            what, most = f"{takes[name]:g} of {burst:,}, {refill:,}/s", refill / takes[name]
        else:
            what, most = f"1 of {IN_FLIGHT:,} for {of.seconds:g} s", IN_FLIGHT / of.seconds
        yield f"| {name} | {what} | {most:,.0f} | {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description="Prices and quotas of imports on AWS.")
    parser.add_argument("--seconds", type=float, default=60, help="how long a container runs, its start counted")
    parser.add_argument("--megabytes", type=float, default=10, help="the size of a file")
    parser.add_argument("--cpu", type=int, default=512, help="TaskCpu")
    parser.add_argument("--memory", type=int, default=1024, help="TaskMemory")
    of = parser.parse_args()
    tables = [price_table(of), standing(of), quota_table(of, "others"), quota_table(of, "large")]
    print("\n\n".join("\n".join(table) for table in tables))


if __name__ == "__main__":
    main()
