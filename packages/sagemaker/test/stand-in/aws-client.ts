import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  InvokeModelWithBidirectionalStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';
import { ServiceException } from '@smithy/core/client';
import { TypeRegistry } from '@smithy/core/schema';

/**
 * AWS's own client machinery (HTTP/2 handler, event streams, SigV4 of request and events, clock offset, retries), told
 * by a schema about SageMaker's operation instead of Bedrock's: the same pipeline as the official client of this
 * service, whose package is not always to be had.
 */

const NAMESPACE = 'com.amazonaws.sagemakerruntimehttp2';

/** One part, as the official client takes and gives it. */
export interface PayloadPart {
  readonly Bytes?: Uint8Array;
  readonly DataType?: string;
  readonly CompletionState?: string;
  readonly P?: string;
}

/** Input of the operation. */
export interface InvokeInput {
  readonly EndpointName: string;
  readonly TargetVariant?: string;
  readonly ModelInvocationPath?: string;
  readonly ModelQueryString?: string;
  readonly Body: AsyncIterable<{ PayloadPart: PayloadPart }>;
}

/** Output of the operation. */
export interface InvokeOutput {
  readonly InvokedProductionVariant?: string;
  readonly $metadata: { readonly httpStatusCode?: number; readonly requestId?: string };
  readonly Body: AsyncIterable<{ readonly PayloadPart?: PayloadPart }>;
}

// Numbers of the schema format: 0 string, 1 integer, 21 blob; traits: 1 httpLabel, 16 httpPayload.
const header = (name: string): unknown => [0, { httpHeader: name }];
const part = (name: string): unknown => [
  3,
  NAMESPACE,
  name,
  0,
  ['Bytes', 'DataType', 'CompletionState', 'P'],
  [
    [21, { eventPayload: 1 }],
    [0, { eventHeader: 1 }],
    [0, { eventHeader: 1 }],
    [0, { eventHeader: 1 }],
  ],
];
const errors: Record<string, unknown> = {
  InputValidationError: [400, ['Message', 'ErrorCode'], [0, 0]],
  ModelError: [
    424,
    ['Message', 'OriginalStatusCode', 'OriginalMessage', 'LogStreamArn', 'ErrorCode'],
    [0, 1, 0, 0, 0],
  ],
  ServiceUnavailableError: [503, ['Message', 'ErrorCode'], [0, 0]],
  ModelStreamError: [undefined, ['Message', 'ErrorCode'], [0, 0]],
  InternalStreamFailure: [undefined, ['Message'], [0]],
};
const registry = new TypeRegistry(NAMESPACE);
const errorSchemas = new Map<string, unknown>();
for (const [name, row] of Object.entries(errors)) {
  const [status, names, kinds] = row as [number | undefined, string[], number[]];
  const traits = {
    error: status === 503 ? 'server' : 'client',
    ...(status === undefined ? {} : { httpError: status }),
  };
  const schema = [-3, NAMESPACE, name, traits, names, kinds];
  class Shape extends ServiceException {
    constructor() {
      super({ name, $fault: 'client', $metadata: {} });
    }
  }
  registry.registerError(schema as never, Shape as never);
  errorSchemas.set(name, schema);
}
const requestStream = [
  4,
  NAMESPACE,
  'RequestStreamEvent',
  { streaming: 1 },
  ['PayloadPart'],
  [[() => part('RequestPayloadPart'), 0]],
];
const responseStream = [
  4,
  NAMESPACE,
  'ResponseStreamEvent',
  { streaming: 1 },
  ['PayloadPart', 'ModelStreamError', 'InternalStreamFailure'],
  [
    [() => part('ResponsePayloadPart'), 0],
    [() => errorSchemas.get('ModelStreamError'), 0],
    [() => errorSchemas.get('InternalStreamFailure'), 0],
  ],
];
const operation = [
  9,
  NAMESPACE,
  'InvokeEndpointWithBidirectionalStream',
  { http: ['POST', '/endpoints/{EndpointName}/invocations-bidirectional-stream', 200] },
  () => [
    3,
    NAMESPACE,
    'InvokeEndpointWithBidirectionalStreamInput',
    0,
    ['EndpointName', 'TargetVariant', 'ModelInvocationPath', 'ModelQueryString', 'Body'],
    [
      [0, 1],
      header('X-Amzn-SageMaker-Target-Variant'),
      header('X-Amzn-SageMaker-Model-Invocation-Path'),
      header('X-Amzn-SageMaker-Model-Query-String'),
      [() => requestStream, 16],
    ],
  ],
  () => [
    3,
    NAMESPACE,
    'InvokeEndpointWithBidirectionalStreamOutput',
    0,
    ['Body', 'InvokedProductionVariant'],
    [[() => responseStream, 16], header('X-Amzn-Invoked-Production-Variant')],
  ],
];

/** A client whose one operation is SageMaker's. */
export class AwsClient {
  readonly #client: BedrockRuntimeClient;

  constructor(config: BedrockRuntimeClientConfig) {
    // It would tell every run which Node it will want some day, and that streams are not tried again.
    process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
    const silence = (): void => undefined;
    this.#client = new BedrockRuntimeClient({
      region: 'us-east-1',
      signingName: 'sagemaker',
      logger: { trace: silence, debug: silence, info: silence, warn: silence, error: silence },
      ...config,
      httpAuthSchemeProvider: ({ region }) => [
        {
          schemeId: 'aws.auth#sigv4',
          signingProperties: { name: 'sagemaker', region },
          propertiesExtractor: (clientConfig: unknown, context: unknown) => ({
            signingProperties: { config: clientConfig, context },
          }),
        },
      ],
      protocolSettings: { defaultNamespace: NAMESPACE, errorTypeRegistries: [registry] },
    } as BedrockRuntimeClientConfig);
    this.#client.middlewareStack.add(
      (next, context) => (args) => {
        const smithyContext = context['__smithy_context'] as Record<string, unknown>;
        smithyContext['operationSchema'] = operation;
        return next(args);
      },
      { step: 'initialize', priority: 'high', name: 'sagemakerOperation' },
    );
  }

  send(input: InvokeInput, options: { readonly abortSignal?: AbortSignal } = {}): Promise<InvokeOutput> {
    const command = new InvokeModelWithBidirectionalStreamCommand(input as never);
    return this.#client.send(command, options) as unknown as Promise<InvokeOutput>;
  }

  destroy(): void {
    this.#client.destroy();
  }
}
