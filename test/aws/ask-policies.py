"""What others know of our policies: parliament's findings, policy_sentry's resources of each action, and what AWS's handlers of the resources do.

Asked with JSON on stdin: `policies` by name, and `types` of resources. Answers with JSON.
"""

import json
import logging
import sys
from pathlib import Path

import cfnlint
import parliament
from policy_sentry.querying.actions import get_action_data


def findings(name, document):
    analyzed = parliament.analyze_policy_string(json.dumps(document))
    for finding in analyzed.findings:
        detail = finding.detail if isinstance(finding.detail, str) else json.dumps(finding.detail)
        yield [name, finding.issue, detail, finding.location.get("string") or finding.location.get("actions")]


def resources_of(action):
    service, name = action.split(":")
    known = get_action_data(service, name) or {}
    return [row["resource_arn_format"] for row in known.get(service, [])]


def handlers(types):
    found = {}
    for path in Path(cfnlint.__file__).parent.glob("data/schemas/resources/*.json"):
        schema = json.loads(path.read_text())
        if schema.get("typeName") in types:
            parts = {**schema["handlers"], "tagging": schema["tagging"]}
            found[schema["typeName"]] = {part: parts[part].get("permissions", []) for part in parts}
    return found


def main():
    logging.disable()
    asked = json.load(sys.stdin)
    policies = asked["policies"]
    statements = [one for document in policies.values() for one in document["Statement"]]
    actions = sorted({action for one in statements for action in one["Action"]})
    answer = {
        "findings": [row for name in policies for row in findings(name, policies[name])],
        "resources": {action: resources_of(action) for action in actions},
        "handlers": handlers(asked["types"]),
    }
    json.dump(answer, sys.stdout)


main()
