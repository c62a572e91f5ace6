import type { CfnRole } from 'aws-cdk-lib/aws-iam';
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
  endpoint.addResourceDependency(group);
  scaling(scope, values, endpoint);
  watching(scope, values);
  return { endpoint, role };
}
