import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import { CfnEndpoint, CfnEndpointConfig, CfnModel } from 'aws-cdk-lib/aws-sagemaker';
import type { Construct } from 'constructs';
import { type EndpointValues, VARIANT } from './endpoint-values.js';

/** Longest that one blue/green update may take: new instances up, weights read, old streams ended. */
const UPDATE_SECONDS_MAX = 4 * 3_600;
/** How long the new fleet takes everything before the old one is let go. */
const BAKE_SECONDS = 60;

/**
 * Model, configuration and endpoint. Names of the first two are CloudFormation's: both are replaced by every change, and the new
 * ones must stand beside the old until the endpoint has moved over.
 */
export function serving(scope: Construct, values: EndpointValues, role: CfnRole): CfnEndpoint {
  const tags = values.tags === undefined ? {} : { tags: values.tags };
  const model = new CfnModel(scope, 'Model', {
    executionRoleArn: role.attrArn,
    enableNetworkIsolation: values.networkIsolation,
    primaryContainer: {
      image: values.imageUri,
      environment: values.environment,
      ...(values.modelDataSource === undefined ? {} : { modelDataSource: values.modelDataSource }),
    },
    ...tags,
  });
  const config = new CfnEndpointConfig(scope, 'EndpointConfig', {
    productionVariants: [
      {
        variantName: VARIANT,
        modelName: model.attrModelName,
        instanceType: values.instanceType,
        initialInstanceCount: values.initialInstances,
        initialVariantWeight: 1,
        modelDataDownloadTimeoutInSeconds: values.modelDownloadTimeoutSeconds,
        containerStartupHealthCheckTimeoutInSeconds: values.startupTimeoutSeconds,
        // A session holds its place for minutes: the emptiest instance takes the next one.
        routingConfig: { routingStrategy: 'LEAST_OUTSTANDING_REQUESTS' },
        ...(values.inferenceAmiVersion === undefined
          ? {}
          : { inferenceAmiVersion: values.inferenceAmiVersion }),
      },
    ],
    ...tags,
  });
  return new CfnEndpoint(scope, 'Endpoint', {
    endpointName: values.endpointName,
    endpointConfigName: config.attrEndpointConfigName,
    // Scaling decides how many there are; an update must not undo it.
    retainAllVariantProperties: true,
    deploymentConfig: {
      blueGreenUpdatePolicy: {
        trafficRoutingConfiguration: { type: 'ALL_AT_ONCE', waitIntervalInSeconds: BAKE_SECONDS },
        terminationWaitInSeconds: values.terminationWaitSeconds,
        maximumExecutionTimeoutInSeconds: UPDATE_SECONDS_MAX,
      },
    },
    ...tags,
  });
}
