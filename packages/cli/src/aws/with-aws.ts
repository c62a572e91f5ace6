import { isAwsRegion } from '@kikitori/core/aws-partition';
import type { Aws, DeployError, OnProgress } from '@kikitori/deploy';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { createDisplay, type Display } from '../terminal/display.js';
import { byteSize, progressBar } from '../terminal/figures.js';
import { oneLine } from '../terminal/screened.js';
import { configuredRegion, regionMissing } from './region.js';

/** What a command about AWS works with. */
export interface AwsSession {
  readonly aws: Aws;
  readonly display: Display;
  readonly onProgress: OnProgress;
}

/** The region that was said, else that of the environment, else that of the profile. Rejects with `CliError` `usage`. */
export async function regionOf(given: string | undefined, context: Context): Promise<string> {
  const region = given ?? (await configuredRegion(context.env));
  if (region === undefined) throw regionMissing();
  if (isAwsRegion(region)) return region;
  throw new CliError(
    'usage',
    'A region looks like us-east-1; correct --region, AWS_REGION or the profile in ~/.aws/config.',
  );
}

/**
 * Runs something with AWS's clients and a display for its progress, and lets go of both. The words of whoever failed, AWS or the program that builds
 * the image, are shown before our sentence is.
 */
export async function withAws<T>(
  region: string,
  context: Context,
  work: (session: AwsSession) => Promise<T>,
): Promise<T> {
  const aws = await context.factories.openAws({ region });
  const display = createDisplay(context);
  try {
    return await work({ aws, display, onProgress: progressOn(display) });
  } catch (error) {
    if (!context.signal.aborted) tellWords(error, display);
    throw error;
  } finally {
    display.close();
    aws.close();
  }
}

function tellWords(error: unknown, display: Display): void {
  // Ours, by its name; the class is loaded only where AWS is asked.
  if (!(error instanceof Error) || error.name !== 'DeployError') return;
  const { serviceText: words = '', saidBy, call } = error as DeployError;
  if (words === '') return;
  const asked = call === undefined || saidBy !== 'AWS' ? '' : ` to ${call}`;
  display.note(`${saidBy} says${asked}: ${oneLine(words)}`);
}

const MARKS = { begin: '…', note: ' ', done: '✓', skip: '=' } as const;
const BAR_CELLS = 24;

/** Steps as lines; how far a transfer is as a row that is drawn over, or as a line now and then where nobody looks. */
function progressOn(display: Display): OnProgress {
  let lastTenth = -1;
  return ({ kind, text: given, fraction }) => {
    const text = oneLine(given);
    if (fraction === undefined) {
      lastTenth = -1;
      display.status(undefined);
      display.note(`${MARKS[kind]} ${text}`);
      return;
    }
    const { done, total, unit } = fraction;
    const part = total === 0 ? 1 : done / total;
    const size = unit === 'bytes' ? `${byteSize(done)} of ${byteSize(total)}` : `${done} of ${total}`;
    if (display.isLive) {
      display.status((cells) => `${progressBar(part, BAR_CELLS)} ${size}, ${text}`.slice(0, cells));
      return;
    }
    const tenth = Math.floor(part * 10);
    if (tenth === lastTenth) return;
    lastTenth = tenth;
    display.note(`  ${size}, ${text}`);
  };
}
