import { EVENT_STREAM_CONTENT_TYPE, STREAMING_PAYLOAD_HASH } from '../event-stream/request-signature.js';
import { type HttpFailure, inputValidationError, unknownOperation, type Verdict } from './http-failure.js';
import type { Invocation, RuntimeRequest } from './request.js';

/** Where a container is asked when the request does not say. */
export const DEFAULT_CONTAINER_PATH = 'invocations-bidirectional-stream';

const OPERATION_PATH = /^\/endpoints\/([^/]+)\/(invocations(?:-[a-z-]+)?)$/;

/** What a request asks for: a stream both ways, a body for a body, or a body for a stream. */
export type Operation = 'stream' | 'plain' | 'streamed_answer';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'invocations-bidirectional-stream': 'stream',
  invocations: 'plain',
  'invocations-response-stream': 'streamed_answer',
};

/** One member of the operation's input: constraints of the service's model. */
interface Constraint {
  readonly member: string;
  readonly lengthMax: number;
  readonly pattern: RegExp;
}

const NAME_PATTERN = /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/;
const ENDPOINT_NAME: Constraint = { member: 'endpointName', lengthMax: 63, pattern: NAME_PATTERN };
const TARGET_VARIANT: Constraint = { member: 'targetVariant', lengthMax: 63, pattern: NAME_PATTERN };
const INVOCATION_PATH: Constraint = {
  member: 'modelInvocationPath',
  lengthMax: 100,
  pattern: /^[A-Za-z0-9\-._]+(?:\/[A-Za-z0-9\-._]+)*$/,
};
const QUERY_STRING: Constraint = {
  member: 'modelQueryString',
  lengthMax: 2048,
  pattern:
    /^[a-zA-Z0-9][A-Za-z0-9_-]*=(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+(?:&[a-zA-Z0-9][A-Za-z0-9_-]*=(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)*$/,
};

/** Which operation the request is for, and the endpoint's name as it stands in the path; to be asked before anything else. */
export function findOperation({
  method,
  path,
}: RuntimeRequest): Verdict<{ readonly label: string; readonly operation: Operation }> {
  const [, label, word = ''] = OPERATION_PATH.exec(path) ?? [];
  const operation = OPERATIONS[word];
  if (method !== 'POST' || label === undefined || operation === undefined) {
    return { failure: unknownOperation() };
  }
  return { value: { label, operation } };
}

/**
 * Checks everything that the service's model says about path and headers.
 *
 * @param label the endpoint's name as it stands in the path, percent-encoded
 */
export function readInvocation(request: RuntimeRequest, label: string): Verdict<Invocation> {
  const { headers } = request;
  const endpointName = decodeLabel(label);
  const targetVariant = headers['x-amzn-sagemaker-target-variant'];
  const path = headers['x-amzn-sagemaker-model-invocation-path'];
  const query = headers['x-amzn-sagemaker-model-query-string'];
  const failure =
    checkBodyHeaders(headers) ??
    check(ENDPOINT_NAME, endpointName) ??
    check(TARGET_VARIANT, targetVariant) ??
    check(INVOCATION_PATH, path) ??
    check(QUERY_STRING, query);
  if (failure !== undefined) return { failure };
  return {
    value: {
      endpointName,
      targetVariant,
      containerPath: path ?? DEFAULT_CONTAINER_PATH,
      containerQuery: query ?? '',
    },
  };
}

/** What `InvokeEndpoint` allows in a header, by its model. */
const PLAIN_HEADERS: Readonly<Record<string, { readonly member: string; readonly lengthMax: number }>> = {
  'content-type': { member: 'contentType', lengthMax: 1024 },
  accept: { member: 'accept', lengthMax: 1024 },
  'x-amzn-sagemaker-accept': { member: 'accept', lengthMax: 1024 },
  'x-amzn-sagemaker-custom-attributes': { member: 'customAttributes', lengthMax: 1024 },
  'x-amzn-sagemaker-target-model': { member: 'targetModel', lengthMax: 1024 },
  'x-amzn-sagemaker-inference-id': { member: 'inferenceId', lengthMax: 64 },
  'x-amzn-sagemaker-session-id': { member: 'sessionId', lengthMax: 256 },
};

/** The same for the operations whose request has a body of its own; where it goes in the container is not the caller's to say. */
export function readPlainInvocation(
  { headers }: RuntimeRequest,
  label: string,
): Verdict<Pick<Invocation, 'endpointName' | 'targetVariant'>> {
  const endpointName = decodeLabel(label);
  const targetVariant = headers['x-amzn-sagemaker-target-variant'];
  const failure = check(ENDPOINT_NAME, endpointName) ?? check(TARGET_VARIANT, targetVariant);
  if (failure !== undefined) return { failure };
  for (const [name, { member, lengthMax }] of Object.entries(PLAIN_HEADERS)) {
    const value = headers[name] ?? '';
    if (value.length > lengthMax) {
      return { failure: constraintFailure(member, `have length less than or equal to ${lengthMax}`) };
    }
  }
  return { value: { endpointName, targetVariant } };
}

function checkBodyHeaders(headers: RuntimeRequest['headers']): HttpFailure | undefined {
  if (headers['x-amz-content-sha256'] !== STREAMING_PAYLOAD_HASH) {
    return inputValidationError(`x-amz-content-sha256 must be ${STREAMING_PAYLOAD_HASH}.`);
  }
  if (headers['content-type']?.trim().toLowerCase() !== EVENT_STREAM_CONTENT_TYPE) {
    return inputValidationError(`content-type must be ${EVENT_STREAM_CONTENT_TYPE}.`);
  }
  return undefined;
}

function check(
  { member, lengthMax, pattern }: Constraint,
  value: string | undefined,
): HttpFailure | undefined {
  if (value === undefined) return undefined;
  // The length first: a pattern never sees a long text.
  if (value.length > lengthMax)
    return constraintFailure(member, `have length less than or equal to ${lengthMax}`);
  if (pattern.test(value)) return undefined;
  return constraintFailure(member, `satisfy regular expression pattern: ${pattern.source}`);
}

function constraintFailure(member: string, demand: string): HttpFailure {
  return inputValidationError(
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${demand}`,
  );
}

/** What is not percent-encoding stays as it is: no pattern lets a `%` pass. */
function decodeLabel(label: string): string {
  try {
    return decodeURIComponent(label);
  } catch {
    return label;
  }
}
