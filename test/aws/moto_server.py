"""moto's server: with all that the tests ask loaded before it listens, and gone when whoever started it is."""

import importlib
import os
import sys
import threading

from moto.server import main

SERVICES = [
    "applicationautoscaling",
    "cloudformation",
    "cloudwatch",
    "ecr",
    "iam",
    "logs",
    "s3",
    "sagemaker",
    "servicequotas",
    "sts",
]


def end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
for service in SERVICES:
    # Loaded with the first request it takes seconds, of which a caller's time is made.
    importlib.import_module(f"moto.{service}.responses")
main(["-H", "127.0.0.1", "-p", sys.argv[1] if len(sys.argv) > 1 else "0"])
