import { SageMakerError } from '../errors.js';

/** Which model, and where in its container. */
export interface InvocationTarget {
  /** 1 to 63 letters, digits and hyphens. */
  readonly endpointName: string;
  /** A production variant; the service chooses unless it is named. As an endpoint name. */
  readonly targetVariant?: string | undefined;
  /**
   * Path of the WebSocket in the container, without a slash at either end, at most 100 characters. Default:
   * `invocations-bidirectional-stream`.
   */
  readonly modelInvocationPath?: string | undefined;
  /** Its query: `key=value` pairs joined by `&`, values percent-encoded and not empty, at most 2,048 characters. */
  readonly modelQueryString?: string | undefined;
}

// The constraints of the service's model. It checks them too, but after the whole way there.
const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/;
const NAME_MAX = 63;
const PATH = /^[A-Za-z0-9\-._]+(?:\/[A-Za-z0-9\-._]+)*$/;
const PATH_MAX = 100;
const PAIR = /^[a-zA-Z0-9][A-Za-z0-9_-]*=(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+$/;
const QUERY_MAX = 2048;

/**
 * Checks a target against the rules of the service.
 *
 * Throws `invalid_endpoint_name`, `invalid_target_variant`, `invalid_invocation_path` or `invalid_query_string`.
 */
export function assertTarget(target: InvocationTarget): void {
  const { endpointName, targetVariant, modelInvocationPath, modelQueryString } = target;
  if (!isName(endpointName)) throw new SageMakerError('invalid_endpoint_name');
  if (targetVariant !== undefined && !isName(targetVariant))
    throw new SageMakerError('invalid_target_variant');
  if (modelInvocationPath !== undefined && !isPath(modelInvocationPath)) {
    throw new SageMakerError('invalid_invocation_path');
  }
  if (modelQueryString !== undefined && !isQuery(modelQueryString)) {
    throw new SageMakerError('invalid_query_string');
  }
}

function isName(text: string): boolean {
  return text.length <= NAME_MAX && NAME.test(text);
}

function isPath(text: string): boolean {
  return text.length <= PATH_MAX && PATH.test(text);
}

function isQuery(text: string): boolean {
  return text.length <= QUERY_MAX && text.split('&').every((pair) => PAIR.test(pair));
}
