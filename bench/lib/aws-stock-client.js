/**
 * AWS's own client for JavaScript as it would run against SageMaker: middleware, schema serde of @smithy/core, signing of
 * every event by @aws-sdk/eventstream-handler-node, HTTP/2 by @smithy/node-http-handler. The package of this very service
 * is not a dependency; the machinery is that of Bedrock's client, told by a schema about SageMaker's operation.
 */
import {
  BedrockRuntimeClient,
  InvokeModelWithBidirectionalStreamCommand,
} from '@aws-sdk/client-bedrock-runtime';

const NAMESPACE = 'com.amazonaws.sagemakerruntimehttp2';
// Numbers of the schema format: -3 error, 0 string, 3 structure, 4 union, 9 operation, 21 blob; traits 1 label, 16 payload.
const part = [
  3,
  NAMESPACE,
  'PayloadPart',
  0,
  ['Bytes', 'DataType', 'CompletionState', 'P'],
  [[21, { eventPayload: 1 }], ...Array.from({ length: 3 }, () => [0, { eventHeader: 1 }])],
];
const stream = (name) => [4, NAMESPACE, name, { streaming: 1 }, ['PayloadPart'], [[() => part, 0]]];
const operation = [
  9,
  NAMESPACE,
  'InvokeEndpointWithBidirectionalStream',
  { http: ['POST', '/endpoints/{EndpointName}/invocations-bidirectional-stream', 200] },
  () => [
    3,
    NAMESPACE,
    'Input',
    0,
    ['EndpointName', 'Body'],
    [
      [0, 1],
      [() => stream('Requests'), 16],
    ],
  ],
  () => [3, NAMESPACE, 'Output', 0, ['Body'], [[() => stream('Answers'), 16]]],
];

/** A client with SageMaker's operation; `invoke` takes an async iterable of `{ PayloadPart }`. */
export function createStockClient({ endpoint, region, credentials }) {
  const client = new BedrockRuntimeClient({
    endpoint,
    region,
    credentials,
    signingName: 'sagemaker',
    httpAuthSchemeProvider: () => [
      {
        schemeId: 'aws.auth#sigv4',
        signingProperties: { name: 'sagemaker', region },
        propertiesExtractor: (config, context) => ({ signingProperties: { config, context } }),
      },
    ],
    protocolSettings: { defaultNamespace: NAMESPACE, errorTypeRegistries: [] },
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      context.__smithy_context.operationSchema = operation;
      return next(args);
    },
    { step: 'initialize', priority: 'high', name: 'sagemakerOperation' },
  );
  return {
    invoke: (endpointName, body) =>
      client.send(new InvokeModelWithBidirectionalStreamCommand({ EndpointName: endpointName, Body: body })),
    destroy: () => client.destroy(),
  };
}
