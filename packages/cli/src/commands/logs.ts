import { ownEndpointOption, ownRegionOption } from '../aws/deploy-options.js';
import { regionOf, withAws } from '../aws/with-aws.js';
import { defineCommand } from '../command.js';
import { flag, integer, text } from '../options.js';
import { jsonText } from '../terminal/screened.js';

const MINUTE_MS = 60_000;

const options = {
  endpoint: ownEndpointOption,
  region: ownRegionOption,
  follow: flag({
    flags: '-f, --follow',
    description: 'go on with what is written from now on, until Ctrl-C',
  }),
  sinceMinutes: integer({
    flags: '--since-minutes <minutes>',
    description: 'how far back to begin',
    min: 1,
    max: 60 * 24 * 30,
    fallback: 60,
  }),
  filter: text({
    flags: '--filter <pattern>',
    description: "only lines that match CloudWatch's filter pattern",
    fallback: undefined,
  }),
  json: flag({ flags: '--json', description: 'print one JSON object a line' }),
};

/** `kikitori logs`: what the containers say. The lines are theirs; ours hold neither audio nor text. */
export const logs = defineCommand({
  summary: 'show what the containers of an endpoint on AWS say',
  operands: [],
  options,
  examples: ['kikitori logs --follow', 'kikitori logs --since-minutes 600 --filter ERROR'],
  async run({ options: given }, context) {
    return await withAws(await regionOf(given.region, context), context, async ({ aws }) => {
      const { readLog } = await import('@kikitori/deploy');
      const { endpoint: endpointName, follow, filter, sinceMinutes, json } = given;
      const sinceMs = aws.clock.unixMs() - sinceMinutes * MINUTE_MS;
      const { signal, stdout } = context;
      for await (const { at, stream, text: line } of readLog(aws, {
        endpointName,
        sinceMs,
        filter,
        follow,
        signal,
      })) {
        const shown = json ? jsonText({ at, stream, text: line }) : `${at.toISOString()} ${stream} ${line}`;
        stdout.write(`${shown}\n`);
        await stdout.drained();
      }
      return 0;
    });
  },
});
