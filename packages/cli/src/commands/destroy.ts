import { ownEndpointOption, ownRegionOption } from '../aws/deploy-options.js';
import { regionOf, withAws } from '../aws/with-aws.js';
import { defineCommand } from '../command.js';
import { flag } from '../options.js';

const options = {
  endpoint: ownEndpointOption,
  region: ownRegionOption,
  all: flag({
    flags: '--all',
    description: 'images and weights that were brought for it as well, unless others use them',
  }),
  keepLogs: flag({ flags: '--keep-logs', description: 'leave the log group until its lines are old enough' }),
};

/** `kikitori destroy`: removes what `deploy` made, and lists what it left. */
export const destroy = defineCommand({
  summary: 'remove an endpoint on AWS, and everything that was made for it',
  operands: [],
  options,
  examples: ['kikitori destroy', 'kikitori destroy --all --endpoint demo'],
  async run({ options: given }, context) {
    return await withAws(
      await regionOf(given.region, context),
      context,
      async ({ aws, display, onProgress }) => {
        const { destroyEndpoint } = await import('@kikitori/deploy');
        const wish = { endpointName: given.endpoint, keepsLog: given.keepLogs, isAll: given.all };
        const { signal } = context;
        const { hadStack, left } = await destroyEndpoint(aws, wish, { signal, onProgress });
        if (!hadStack) display.note(`There was no stack of an endpoint ${given.endpoint}.`);
        display.note('Left:');
        for (const line of left) display.note(`  ${line}`);
        return 0;
      },
    );
  },
});
