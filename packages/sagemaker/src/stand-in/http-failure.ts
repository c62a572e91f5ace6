import { awsPartitionOf } from '@kikitori/core/aws-partition';

/** An answer before the stream: HTTP status, the error's name and its JSON members, spelled as AWS spells them. */
export interface HttpFailure {
  readonly status: number;
  /** Goes into `x-amzn-errortype`; empty: there is none. */
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
    members: {
      message:
        'POST /endpoints/{EndpointName}/invocations, …/invocations-response-stream and (over HTTP/2) …/invocations-bidirectional-stream are all there is.',
    },
  };
}

/** What the service's plain operations call the failures that they share with streams; their shapes have no `ErrorCode`. */
const PLAIN_NAMES: Readonly<Record<string, string>> = {
  InputValidationError: 'ValidationError',
  ServiceUnavailableError: 'ServiceUnavailable',
  InternalServerError: 'InternalFailure',
};

/** The same failure as `InvokeEndpoint` tells it. */
export function plainFailure(failure: HttpFailure): HttpFailure {
  const name = PLAIN_NAMES[failure.name];
  if (name === undefined) return failure;
  return { status: failure.status, name, members: { Message: failure.members['Message'] ?? '' } };
}

/** 413, in the words that callers have seen; the error has no name. */
export function contentTooLong(lengthBytesMax: number): HttpFailure {
  return {
    status: 413,
    name: '',
    members: { message: `HTTP content length exceeded ${lengthBytesMax} bytes.` },
  };
}

/** 408: the body stopped arriving. */
export function requestTimeout(): HttpFailure {
  return {
    status: 408,
    name: 'RequestTimeoutException',
    members: { message: 'The body stopped arriving.' },
  };
}

/** What a container made of an invocation. */
export interface ContainerFault {
  /** 0: it did not answer. */
  readonly status: number;
  /** Its own words; undefined: they could not be read whole. */
  readonly message: string | undefined;
}

/** 424 for what a container answered but 2xx; other than for a stream its words are shown, as on AWS. */
export function invocationError(
  { status, message }: ContainerFault,
  { name: endpointName, region, accountId }: EndpointPlace,
): HttpFailure {
  const isOfClient = status >= 400 && status < 500;
  const group = `/aws/sagemaker/Endpoints/${endpointName}`;
  const said =
    message === undefined ? 'and could not load the entire response body' : `with message "${message}"`;
  return {
    status: 424,
    name: 'ModelError',
    members: {
      Message:
        `Received ${isOfClient ? 'client' : 'server'} error (${status}) from primary ${said}. See ` +
        `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logEventViewer:group=${group} ` +
        `in account ${accountId} for more information.`,
      OriginalStatusCode: status,
      OriginalMessage: message ?? '',
      LogStreamArn: `arn:${awsPartitionOf(region).id}:logs:${region}:${accountId}:log-group:${group}`,
      ErrorCode: isOfClient ? 'CLIENT_ERROR_FROM_MODEL' : 'INTERNAL_FAILURE_FROM_MODEL',
    },
  };
}

/** Which endpoint, and where. */
export interface EndpointPlace {
  readonly name: string;
  readonly region: string;
  readonly accountId: string;
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
