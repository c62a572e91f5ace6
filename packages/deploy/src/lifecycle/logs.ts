import { sleep } from '@kikitori/core';
import type { Aws } from '../aws/aws.js';
import { isRefusal } from '../aws/failure.js';
import { pages } from '../aws/pages.js';
import { DeployError } from '../errors.js';
import { DEPLOY_LIMITS } from '../limits.js';
import { logGroupOf } from '../names.js';

/** One line that a container wrote. */
export interface LogLine {
  readonly id: string;
  readonly at: Date;
  /** `all/i-0123…`: the variant and the instance. */
  readonly stream: string;
  readonly text: string;
}

export interface LogOptions {
  readonly endpointName: string;
  /** Lines from here on, milliseconds since 1970. */
  readonly sinceMs: number;
  /** A filter pattern of CloudWatch Logs. */
  readonly filter?: string | undefined;
  /** Go on with what is written from now on, until `signal`. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/**
 * Lines of an endpoint's log, each once, in the order in which CloudWatch has them. With `follow` it ends with the reason of `signal`. Rejects with
 * `DeployError` `not_deployed` where there is no log.
 */
export async function* readLog(aws: Aws, options: LogOptions): AsyncGenerator<LogLine> {
  const { follow, signal } = options;
  const seen = new Set<string>();
  let fromMs = options.sinceMs;
  let isThere = false;
  for (;;) {
    try {
      for await (const line of readOnce(aws, { ...options, sinceMs: fromMs })) {
        isThere = true;
        if (seen.has(line.id)) continue;
        seen.add(line.id);
        // Lines of other instances may still come in below the newest one.
        fromMs = Math.max(fromMs, line.at.getTime() - DEPLOY_LIMITS.logLateMs);
        yield line;
      }
    } catch (error) {
      const isMissing = isRefusal(error, 'ResourceNotFoundException');
      if (!isMissing) throw error;
      if (!follow && !isThere) {
        throw new DeployError('not_deployed', {
          sentence: `There is no log ${logGroupOf(options.endpointName)} in ${aws.region}; an endpoint has one as soon as it starts.`,
        });
      }
    }
    if (!follow) return;
    forgetOldest(seen);
    await sleep(aws.clock, DEPLOY_LIMITS.logPollMs, { signal });
  }
}

async function* readOnce(aws: Aws, options: LogOptions): AsyncGenerator<LogLine> {
  const { endpointName, sinceMs, filter, signal } = options;
  const base = {
    logGroupName: logGroupOf(endpointName),
    startTime: sinceMs,
    ...(filter === undefined ? {} : { filterPattern: filter }),
  };
  const all = pages(
    DEPLOY_LIMITS.logPagesMax,
    (nextToken) => aws.ask('logs', (sdk) => new sdk.FilterLogEventsCommand({ ...base, nextToken }), signal),
    ({ nextToken }) => nextToken,
  );
  for await (const { events = [] } of all) {
    for (const { eventId = '', timestamp = 0, logStreamName = '', message = '' } of events) {
      yield { id: eventId, at: new Date(timestamp), stream: logStreamName, text: message.replace(/\n$/, '') };
    }
  }
}

function forgetOldest(seen: Set<string>): void {
  for (const id of seen) {
    if (seen.size <= DEPLOY_LIMITS.logSeenMax) return;
    seen.delete(id);
  }
}
