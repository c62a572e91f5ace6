import { type CfnTag, Token } from 'aws-cdk-lib';
import type { CfnRole } from 'aws-cdk-lib/aws-iam';
import type { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Construct } from 'constructs';
import { checkSettings } from '../settings/check-settings.js';
import { containerEnvironment } from '../settings/container-environment.js';
import { instanceOf } from '../settings/instances.js';
import { type EndpointSettings, withDefaults } from '../settings/settings.js';
import { endpointResources } from './endpoint-resources.js';

/** What a CDK program says. Everything but the image has a default, the same as that of `kikitori deploy`. */
export interface KikitoriEndpointProps {
  readonly settings: EndpointSettings;
  /** An image of `containers/` in ECR. */
  readonly imageUri: string;
  /** ARN of the image's repository: the only one that the role may pull from. */
  readonly imageRepositoryArn: string;
  /** The folder of the weights in S3; absent where the image holds them. The prefix ends with a slash. */
  readonly model?: { readonly bucket: string; readonly prefix: string };
  /** ARNs of SNS topics that the alarms tell. */
  readonly alarmTopicArns?: readonly string[];
  readonly tags?: readonly CfnTag[];
}

/**
 * An endpoint with its role, scaling, log group, alarms and dashboard, for CDK programs. The resources are those of the template
 * (`template/kikitori-endpoint.yaml`), with literals for its parameters.
 *
 * Throws `DeployError` `invalid_setting`, `instance_unknown`.
 */
export class KikitoriEndpoint extends Construct {
  readonly endpoint: CfnEndpoint;
  readonly executionRole: CfnRole;

  constructor(scope: Construct, id: string, props: KikitoriEndpointProps) {
    super(scope, id);
    const settings = withDefaults(props.settings);
    // A program may name its endpoint by a token; everything else is there to be checked.
    checkSettings(
      Token.isUnresolved(settings.endpointName) ? { ...settings, endpointName: 'token' } : settings,
    );
    const { model } = props;
    const isVllm = settings.engine === 'vllm';
    const { gpus } = instanceOf(settings.instanceType);
    const { endpoint, role } = endpointResources(this, {
      endpointName: settings.endpointName,
      imageUri: props.imageUri,
      imageRepositoryArn: props.imageRepositoryArn,
      environment: containerEnvironment(settings, model !== undefined),
      model,
      modelDataSource:
        model === undefined
          ? undefined
          : {
              s3DataSource: {
                s3Uri: `s3://${model.bucket}/${model.prefix}`,
                s3DataType: 'S3Prefix',
                compressionType: 'None',
              },
            },
      networkIsolation: settings.networkIsolation,
      instanceType: settings.instanceType,
      initialInstances: settings.instancesMin,
      inferenceAmiVersion: isVllm ? settings.inferenceAmiVersion : undefined,
      modelDownloadTimeoutSeconds: settings.modelDownloadTimeoutSeconds,
      startupTimeoutSeconds: settings.startupTimeoutSeconds,
      terminationWaitSeconds: settings.terminationWaitSeconds,
      instancesMin: settings.instancesMin,
      instancesMax: settings.instancesMax,
      sessionsTarget: settings.sessionsTarget,
      scaleOutCooldownSeconds: settings.scaleOutCooldownSeconds,
      scaleInCooldownSeconds: settings.scaleInCooldownSeconds,
      logRetentionDays: settings.logRetentionDays,
      gpu: gpus > 0,
      alarms: {
        sessions: settings.sessionsMax,
        firstChunkMicroseconds: settings.firstChunkAlarmMs * 1_000,
        midStreamErrors: settings.midStreamErrorsAlarm,
        modelErrors: settings.modelErrorsAlarm,
        gpuMemoryPercent: settings.gpuMemoryAlarmPercent * Math.max(gpus, 1),
        actions: [...(props.alarmTopicArns ?? [])],
      },
      ...(props.tags === undefined ? {} : { tags: [...props.tags] }),
    });
    this.endpoint = endpoint;
    this.executionRole = role;
  }
}
