import type { Check, Plan } from '@kikitori/deploy';
import type { Output } from '../context.js';
import { beside } from '../terminal/beside.js';
import type { Style } from '../terminal/style.js';

/** What `--dry-run` prints, on one screen: everything that would be done, and what it costs. */
export function planReport(plan: Plan, output: Output): string {
  const { settings } = plan;
  const row = (head: string, text: string): string => head + beside(head.length, text, output);
  const rows = [
    row(
      'Plan: ',
      `${plan.kind} the endpoint ${settings.endpointName} (${settings.engine} on ${settings.instancesMin} to ${settings.instancesMax} × ${settings.instanceType})`,
    ),
    row('Cost: ', plan.cost),
    '',
    ...plan.steps.map(({ id, text, minutes: [least, most] }, index) =>
      row(`  ${index + 1}. `, `${id}: ${text} (${least === most ? least : `${least} to ${most}`} min)`),
    ),
    '',
    row('More: ', "--policy prints the IAM policy, --explain the sums and the container's variables."),
    '',
  ];
  return rows.join('\n');
}

const MARKS = { ok: 'ok     ', missing: 'missing', unknown: 'unknown' } as const;

/** Mark and name of a check, with the spaces behind them. */
const HEAD_CELLS = 21;

/** One check as a row, and below it how to get what is missing. */
export function checkRows({ name, state, text, remedy }: Check, style: Style, output: Output): string {
  const paint = { ok: style.green, missing: style.red, unknown: style.yellow }[state];
  const row = `${paint(MARKS[state])}  ${name.padEnd(11)} ${beside(HEAD_CELLS, text, output)}`;
  if (state === 'ok' || remedy === '') return row;
  const below = beside(HEAD_CELLS, remedy, output);
  // Where too little room is left beside the head it begins a row of its own.
  return below.startsWith('\n') ? row + below : `${row}\n${' '.repeat(HEAD_CELLS)}${below}`;
}
