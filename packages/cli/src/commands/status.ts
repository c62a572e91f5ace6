import type { EndpointStatus } from '@kikitori/deploy';
import { ownEndpointOption, ownRegionOption } from '../aws/deploy-options.js';
import { regionOf, withAws } from '../aws/with-aws.js';
import { defineCommand } from '../command.js';
import { flag } from '../options.js';
import { jsonText, oneLine } from '../terminal/screened.js';

const options = {
  endpoint: ownEndpointOption,
  region: ownRegionOption,
  json: flag({ flags: '--json', description: 'print JSON' }),
};

/** `kikitori status`: how an endpoint is. Ends with 1 where it is not in service. */
export const status = defineCommand({
  summary: 'show how an endpoint on AWS is, and what it costs',
  operands: [],
  options,
  examples: ['kikitori status', 'kikitori status --endpoint demo --json'],
  async run({ options: given }, context) {
    return await withAws(await regionOf(given.region, context), context, async ({ aws }) => {
      const { dollars, PRICES_DATE, readStatus } = await import('@kikitori/deploy');
      const found = await readStatus(aws, given.endpoint, context.signal);
      context.stdout.write(
        given.json
          ? `${jsonText(jsonOf(found), 2)}\n`
          : `${rows(found, { dollars, pricesDate: PRICES_DATE }).map(oneLine).join('\n')}\n`,
      );
      return found.endpointStatus === 'InService' ? 0 : 1;
    });
  },
});

/** How money is written, and of when the prices are. */
interface Prices {
  readonly dollars: (usd: number) => string;
  readonly pricesDate: string;
}

function rows(found: EndpointStatus, { dollars, pricesDate }: Prices): readonly string[] {
  const { metrics, usdPerHour, usdSoFar } = found;
  const figure = (value: number | undefined, unit = '') => (value === undefined ? 'none' : `${value}${unit}`);
  const bounds = `${found.instances} now, ${found.instancesDesired} wanted, ${figure(found.instancesMin)} to ${figure(found.instancesMax)} allowed`;
  const cost =
    usdPerHour === undefined
      ? `not known here for this type in this region; "kikitori deploy --dry-run" says how to look it up`
      : `${dollars(usdPerHour)} an hour now, about ${dollars(usdSoFar ?? 0)} so far (list price of ${pricesDate}, instances of now)`;
  return [
    `Endpoint   ${found.endpointName} in ${found.region}, account ${found.account}: ${found.endpointStatus ?? 'not there'}`,
    ...(found.failureReason === undefined ? [] : [`           ${found.failureReason}`]),
    `Stack      ${found.stackStatus ?? 'none'}`,
    `Serves     ${found.engine ?? 'unknown'} on ${found.instanceType ?? 'unknown'}`,
    `Instances  ${bounds}`,
    `Sessions   ${figure(metrics.sessionsNow)} at once on the busiest instance (5 min), ${figure(metrics.sessionsBegun)} begun (1 h)`,
    `First word ${figure(metrics.firstChunkMs, ' ms')} to the first answer (p90, 1 h)`,
    `Errors     ${figure(metrics.midStreamErrors)} broken off, ${figure(metrics.modelErrors)} refused or failed by the container (1 h)`,
    `Alarms     ${found.alarms.length === 0 ? 'none' : found.alarms.join(', ')}`,
    `Cost       ${cost}`,
    ...found.errors.map(({ at, text }) => `Log        ${at.toISOString()} ${text}`),
  ];
}

function jsonOf(found: EndpointStatus): Record<string, unknown> {
  const { metrics } = found;
  return {
    endpoint: found.endpointName,
    region: found.region,
    account: found.account,
    status: found.endpointStatus,
    failure_reason: found.failureReason,
    stack_status: found.stackStatus,
    engine: found.engine,
    instance_type: found.instanceType,
    instances: found.instances,
    instances_desired: found.instancesDesired,
    instances_min: found.instancesMin,
    instances_max: found.instancesMax,
    sessions_now: metrics.sessionsNow,
    sessions_begun: metrics.sessionsBegun,
    mid_stream_errors: metrics.midStreamErrors,
    model_errors: metrics.modelErrors,
    first_chunk_ms: metrics.firstChunkMs,
    alarms: found.alarms,
    created_at: found.createdAt,
    usd_per_hour: found.usdPerHour,
    usd_so_far: found.usdSoFar,
    errors: found.errors.map(({ at, stream, text }) => ({ at, stream, text })),
  };
}
