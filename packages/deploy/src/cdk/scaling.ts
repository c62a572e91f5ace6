import { Fn } from 'aws-cdk-lib';
import { CfnScalableTarget, CfnScalingPolicy } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import { type EndpointValues, VARIANT } from './endpoint-values.js';

/** Instances follow the sessions at once: CloudWatch has that metric every ten seconds. */
export function scaling(scope: Construct, values: EndpointValues, endpoint: CfnEndpoint): void {
  const target = new CfnScalableTarget(scope, 'ScalableTarget', {
    serviceNamespace: 'sagemaker',
    scalableDimension: 'sagemaker:variant:DesiredInstanceCount',
    resourceId: Fn.join('/', ['endpoint', endpoint.attrEndpointName, 'variant', VARIANT]),
    minCapacity: values.instancesMin,
    maxCapacity: values.instancesMax,
  });
  new CfnScalingPolicy(scope, 'ScalingPolicy', {
    policyName: 'sessions-at-once',
    policyType: 'TargetTrackingScaling',
    scalingTargetId: target.ref,
    targetTrackingScalingPolicyConfiguration: {
      predefinedMetricSpecification: {
        predefinedMetricType: 'SageMakerVariantConcurrentRequestsPerModelHighResolution',
      },
      targetValue: values.sessionsTarget,
      scaleOutCooldown: values.scaleOutCooldownSeconds,
      scaleInCooldown: values.scaleInCooldownSeconds,
    },
  });
}
