import { awsPartitionOf } from '@kikitori/core/aws-partition';

/** An answer before the stream: HTTP status, the error's name and its JSON members, spelled as AWS spells them. */
export interface HttpFailure {
  readonly status: number;
  /** Goes into `x-amzn-errortype`. */
  readonly name: string;
  readonly members: Readonly<Record<string, string | number>>;
}

/** Either what was asked for, or the answer that refuses it. */
export type Verdict<T> =
  | { readonly value: T; readonly failure?: undefined }
  | { readonly value?: undefined; readonly failure: HttpFailure };

/** What AWS calls the failures of authentication and authorisation. All are answered with 403. */
export type AccessFailureName =
  | 'MissingAuthenticationTokenException'
  | 'IncompleteSignatureException'
  | 'InvalidSignatureException'
  | 'UnrecognizedClientException'
  | 'ExpiredTokenException'
  | 'AccessDeniedException';

/** The container said no, or nothing at all. What AWS shows for it, word for word. */
export const NO_WEBSOCKET_TEXT = 'Failed to establish WebSocket connection';

/** 403 with `message` in lower case: these shapes are not in the service's model. */
export function accessFailure(name: AccessFailureName, message: string): HttpFailure {
  return { status: 403, name, members: { message } };
}

/** 400 for a request whose parts are not as the model says. `code` is ours: AWS documents none. */
export function inputValidationError(message: string, code = 'ValidationError'): HttpFailure {
  return { status: 400, name: 'InputValidationError', members: { Message: message, ErrorCode: code } };
}

/** 429: the endpoint carries as many streams as it may. */
export function throttlingException(): HttpFailure {
  return { status: 429, name: 'ThrottlingException', members: { message: 'Rate exceeded' } };
}

/** 503: the stand-in is full or about to end. */
export function serviceUnavailable(message: string): HttpFailure {
  return {
    status: 503,
    name: 'ServiceUnavailableError',
    members: { Message: message, ErrorCode: 'ServiceUnavailable' },
  };
}

/** 500: a fault of the stand-in. */
export function internalServerError(): HttpFailure {
  return {
    status: 500,
    name: 'InternalServerError',
    members: { Message: 'The stand-in failed; its log says why.', ErrorCode: 'InternalServerError' },
  };
}

/** 404: neither path nor method belong to an operation of this service. */
export function unknownOperation(): HttpFailure {
  return {
    status: 404,
    name: 'UnknownOperationException',
    members: { message: 'POST /endpoints/{EndpointName}/invocations-bidirectional-stream is all there is.' },
  };
}

/** Why no WebSocket to the container came about, and where its log would be. */
export interface ModelErrorParts {
  /** The HTTP status of the container's answer; absent where there was no answer. */
  readonly originalStatus?: number | undefined;
  readonly originalMessage: string;
  readonly endpointName: string;
  readonly region: string;
  readonly accountId: string;
}

/** 424. As on AWS the body of the container's answer is not shown. */
export function modelError(parts: ModelErrorParts): HttpFailure {
  const { originalStatus, originalMessage, endpointName, region, accountId } = parts;
  return {
    status: 424,
    name: 'ModelError',
    members: {
      Message: NO_WEBSOCKET_TEXT,
      ...(originalStatus === undefined ? {} : { OriginalStatusCode: originalStatus }),
      OriginalMessage: originalMessage,
      LogStreamArn: `arn:${awsPartitionOf(region).id}:logs:${region}:${accountId}:log-group:/aws/sagemaker/Endpoints/${endpointName}`,
      ErrorCode: 'ModelError',
    },
  };
}
