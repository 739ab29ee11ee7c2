"""The AWS CLI of this virtual environment. The endpoint is named at each call: version 1 of the CLI does not take SQS's from the
environment."""

import json
import os
import pathlib
import subprocess
import sys

AWS = [sys.executable, pathlib.Path(sys.executable).with_name("aws"), "--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]


def aws(*arguments, fails=False):
    ended = subprocess.run([*AWS, *arguments, "--output", "json"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode != 0) == fails, ended
    return ended.stderr if fails else json.loads(ended.stdout or "null")
