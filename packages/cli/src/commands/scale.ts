import type { Scaled } from '@kikitori/deploy';
import { ownEndpointOption, ownRegionOption } from '../aws/deploy-options.js';
import { regionOf, withAws } from '../aws/with-aws.js';
import { defineCommand } from '../command.js';
import { CliError } from '../errors.js';
import { integer } from '../options.js';

const count = (flags: string, description: string) =>
  integer({ flags, description, min: 1, max: 100, fallback: undefined });

const options = {
  endpoint: ownEndpointOption,
  region: ownRegionOption,
  min: count('--min <number>', 'fewest instances'),
  max: count('--max <number>', 'most instances'),
  desired: count('--desired <number>', 'instances now; scaling goes on from there'),
};

/** `kikitori scale`: how many instances, without replacing one. */
export const scale = defineCommand({
  summary: 'change the number of instances of an endpoint on AWS',
  operands: [],
  options,
  examples: ['kikitori scale --min 1 --max 4', 'kikitori scale --desired 2 --max 2'],
  async run({ options: given }, context) {
    const { endpoint, min: instancesMin, max: instancesMax, desired: instancesDesired } = given;
    if (instancesMin === undefined && instancesMax === undefined && instancesDesired === undefined) {
      throw new CliError('usage', 'Say --min, --max or --desired.');
    }
    return await withAws(
      await regionOf(given.region, context),
      context,
      async ({ aws, display, onProgress }) => {
        const { scaleEndpoint } = await import('@kikitori/deploy');
        const wish = { instancesMin, instancesMax, instancesDesired };
        const scaled = await scaleEndpoint(aws, endpoint, wish, { signal: context.signal, onProgress });
        display.note(boundsSentence(scaled, instancesDesired !== undefined));
        return 0;
      },
    );
  },
});

/** What holds now, and whether that is new. `isAsked`: SageMaker was told a number of instances. */
function boundsSentence({ result, instancesMin, instancesMax }: Scaled, isAsked: boolean): string {
  const bounds =
    instancesMin === instancesMax
      ? `always ${instancesMin} instance${instancesMin === 1 ? '' : 's'}`
      : `${instancesMin} to ${instancesMax} instances, as many as the sessions need`;
  if (result !== 'unchanged') return `Scaling is changed: ${bounds}.`;
  return isAsked
    ? `Scaling stays as it was: ${bounds}.`
    : `Nothing was changed; it stays as it was: ${bounds}.`;
}
