import { Aws, Fn } from 'aws-cdk-lib';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import type { EndpointValues } from './endpoint-values.js';
import { executionRole } from './execution-role.js';
import { scaling } from './scaling.js';
import { serving } from './serving.js';
import { logGroup, watching } from './watching.js';

/** Every resource of an endpoint, below `scope`. */
export function endpointResources(
  scope: Construct,
  values: EndpointValues,
): { readonly endpoint: CfnEndpoint; readonly role: CfnRole } {
  const role = executionRole(scope, values);
  const group = logGroup(scope, values);
  const endpoint = serving(scope, values, role);
  // The container's first line would otherwise make a group that is kept for ever.
  orderAfter(endpoint, group, values);
  scaling(scope, values, endpoint);
  watching(scope, values);
  return { endpoint, role };
}

/**
 * Nothing may depend on a resource whose condition is false: AWS refuses such a template. What a reference in `Metadata` names is made before
 * as well, and `Fn::If` takes the reference away where there is no group to make.
 */
function orderAfter(endpoint: CfnEndpoint, group: CfnLogGroup, { logGroupWhen }: EndpointValues): void {
  if (logGroupWhen === undefined) endpoint.addResourceDependency(group);
  else endpoint.addMetadata('After', Fn.conditionIf(logGroupWhen.logicalId, group.ref, Aws.NO_VALUE));
}
