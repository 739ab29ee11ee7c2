"""What programs that nobody here wrote say of infra/aws/template.yaml. Needs no account and no network.

template.py lint FILE         cfn-lint, its rules for state machines among them, on the template as it stands and with both
                              definitions in it; exits with 1 where there are findings
template.py transform FILE    prints as JSON {"source": the template in the long form of its functions,
                              "transformed": what SAM makes of it}
"""

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from cfnlint.api import ManualArgs, lint_file
from cfnlint.decode import cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# The usual region of Japanese users, and the one that has every service first. Nothing in the template fixes one.
REGIONS = ["ap-northeast-1", "us-east-1"]

# A time limit may be an expression (`{% ${RunTimeoutSeconds} %}`) where the language is JSONata; cfn-lint asks for a number.
TIME_LIMIT = re.compile(r'("(?:Timeout|Heartbeat)Seconds":) "\{% \$\{\w+\} %\}"')


def source(path):
    """The template, its short forms (!Ref) written out."""
    return json.loads(json.dumps(cfn_yaml.load(path)))


def transformed(path):
    """The template as CloudFormation gets it from SAM, which is what is deployed."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGIONS[0])
    template = source(path)
    # `sam package` puts local files into S3 first.
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://packaged/code.zip"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            properties["DefinitionUri"] = "s3://packaged/definition.json"
    defaults = {name: parameter.get("Default", "") for name, parameter in template["Parameters"].items()}
    return Translator({}, Parser()).translate(template, defaults, feature_toggle=None)


def with_definitions(path):
    """The transformed template with the definitions in it, where cfn-lint looks for them."""
    template = transformed(path)
    for name, resource in source(path)["Resources"].items():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            machine = template["Resources"][name]["Properties"]
            del machine["DefinitionS3Location"]
            definition = (Path(path).parent / resource["Properties"]["DefinitionUri"]).read_text()
            machine["DefinitionString"] = TIME_LIMIT.sub(r"\1 60", definition)
    return template


def lint(path):
    findings = list(lint_file(Path(path), ManualArgs(regions=REGIONS)))
    with tempfile.NamedTemporaryFile("w", suffix=".json") as whole:
        json.dump(with_definitions(path), whole)
        whole.flush()
        findings += lint_file(Path(whole.name), ManualArgs(regions=REGIONS))
    for finding in findings:
        print(finding)
    return 1 if findings else 0


def main(verb, path):
    if verb == "lint":
        return lint(path)
    if verb == "transform":
        json.dump({"source": source(path), "transformed": transformed(path)}, sys.stdout)
        return 0
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
