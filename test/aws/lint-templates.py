"""What cfn-lint says of templates, in regions and with sets of parameters. Asked with JSON on stdin, answers with JSON."""

import json
import sys

from cfnlint.config import ConfigMixIn
from cfnlint.context.parameters import ParameterSet
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data


def main():
    rules = Runner(ConfigMixIn()).rules
    found = []
    for template in json.load(sys.stdin):
        document, errors = decode_str(template["text"])
        sets = [ParameterSet(parameters=one) for one in template.get("parameters", [])]
        config = ConfigMixIn(regions=template["regions"], parameters=sets)
        matches = errors or run_template_by_data(document, config, rules)
        said = [f"{match.rule.id} {match.message}" for match in matches]
        found.append([template["name"], said])
    json.dump(found, sys.stdout)


main()
