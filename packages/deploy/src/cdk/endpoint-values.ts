import type { CfnCondition, CfnTag, IResolvable } from 'aws-cdk-lib';
import type { CfnModel } from 'aws-cdk-lib/aws-sagemaker';

/**
 * What the resources are made of: literals from somebody's CDK program, or parameters and conditions of the template.
 * Numbers may be tokens. A value that is absent under a condition is `AWS::NoValue` there.
 */
export interface EndpointValues {
  readonly endpointName: string;
  readonly imageUri: string;
  /** The ECR repository of the image; the role may pull from no other. */
  readonly imageRepositoryArn: string;
  readonly environment: Readonly<Record<string, string | IResolvable>>;
  /** Where the weights are, or nothing where they are in the image. */
  readonly modelDataSource: CfnModel.ModelDataSourceProperty | IResolvable | undefined;
  /** The bucket of the weights, and the key prefix with its slash at the end. Absent with `modelDataSource`. */
  readonly model:
    | { readonly bucket: string; readonly prefix: string; readonly when?: CfnCondition }
    | undefined;
  readonly networkIsolation: boolean | IResolvable;
  readonly instanceType: string;
  readonly initialInstances: number;
  readonly inferenceAmiVersion: string | undefined;
  readonly modelDownloadTimeoutSeconds: number;
  readonly startupTimeoutSeconds: number;
  readonly terminationWaitSeconds: number;
  readonly instancesMin: number;
  readonly instancesMax: number;
  /** Sessions at once for one instance that scaling aims at. */
  readonly sessionsTarget: number;
  readonly scaleOutCooldownSeconds: number;
  readonly scaleInCooldownSeconds: number;
  readonly logRetentionDays: number;
  /** Under which the log group is made; absent: always. */
  readonly logGroupWhen?: CfnCondition;
  /** Under which there is a GPU to watch; `false`: never. */
  readonly gpu: CfnCondition | boolean;
  readonly alarms: AlarmValues;
  readonly tags?: CfnTag[];
}

/** From where on somebody should look. */
export interface AlarmValues {
  /** Sessions at once for one instance. */
  readonly sessions: number;
  /** p90 of the time to the first answer of a session, in microseconds, as CloudWatch has it. */
  readonly firstChunkMicroseconds: number;
  /** Sessions that broke off in five minutes. */
  readonly midStreamErrors: number;
  /** Sessions that the model refused or ended with an error in five minutes. */
  readonly modelErrors: number;
  /** Percent, all GPUs of the instance added up, as CloudWatch has it. */
  readonly gpuMemoryPercent: number;
  /** ARNs of SNS topics that are told. */
  readonly actions: string[] | IResolvable;
}

/** The one production variant. Its name is part of every metric's dimensions, so it never changes. */
export const VARIANT = 'all';
