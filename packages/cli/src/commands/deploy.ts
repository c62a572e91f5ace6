import type { DeployError, Facts, PreparedDeployment, Supplies } from '@kikitori/deploy';
import { type DeployGiven, deployOptions, settingsOf } from '../aws/deploy-options.js';
import { checkRows, planReport } from '../aws/plan-report.js';
import { suppliesMaker } from '../aws/supplies.js';
import { tryEndpoint } from '../aws/try-endpoint.js';
import { type AwsSession, regionOf, withAws } from '../aws/with-aws.js';
import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { folded } from '../terminal/beside.js';

/** `kikitori deploy`: from nothing to an endpoint in service, or from one to a changed one. */
export const deploy = defineCommand({
  summary: 'make or change a SageMaker endpoint on AWS',
  operands: [],
  options: deployOptions,
  examples: [
    'kikitori deploy --dry-run',
    'kikitori deploy --engine moonshine',
    'kikitori deploy --max-instances 4 --max-model-len 22500',
    'kikitori deploy --explain --instance-type ml.g6.12xlarge',
  ],
  run: runDeploy,
});

/** Behind Ctrl-C. */
const GOES_ON =
  'What CloudFormation has begun goes on by itself; the same command again waits for it and carries on.';

async function runDeploy(
  { options: given }: CommandInput<typeof deployOptions>,
  context: Context,
): Promise<number> {
  const { decodeOthers, engineOf, explain, withDefaults } = await import('@kikitori/deploy');
  const settings = settingsOf(given, decodeOthers);
  if (given.explain) {
    const resolved = withDefaults({ ...settings, engine: engineOf(given.engine, undefined) });
    for (const line of explain(resolved)) context.stdout.write(`${folded(line, context.stdout)}\n`);
    return 0;
  }
  const region = regionOf(given.region, context);
  return await withAws(region, context, async (session) => {
    const suppliesFor = await suppliesMaker(given, session.aws, context);
    if (given.dryRun) return await dryRun(given, region, suppliesFor, session, context);
    const {
      checkDeployment,
      deployEndpoint,
      DeployError: Failure,
      prepareDeployment,
    } = await import('@kikitori/deploy');
    const { aws, display } = session;
    const { signal } = context;
    const prepared = await prepareDeployment(aws, settings, suppliesFor, signal);
    display.note(`Cost: ${prepared.plan.cost}`);
    const checks = await checkDeployment(aws, prepared, signal);
    for (const check of checks) display.rows(checkRows(check, display.style, context.stderr));
    if (checks.some(({ state }) => state === 'missing')) throw new Failure('not_ready');
    try {
      await deployEndpoint(aws, prepared, { signal, onProgress: session.onProgress });
    } catch (error) {
      if (signal.aborted) display.note(GOES_ON);
      throw error;
    }
    await finish(given, region, session, context);
    return 0;
  });
}

async function finish(
  given: DeployGiven,
  region: string,
  { display }: AwsSession,
  context: Context,
): Promise<void> {
  const at = `--endpoint ${given.endpoint} --region ${region}`;
  if (!given.skipTry) await tryEndpoint({ endpoint: given.endpoint, region }, context, display);
  display.note(`Speak to it:  kikitori listen ${at}`);
  display.note(`Look at it:   kikitori status ${at}`);
  display.note(`Remove it:    kikitori destroy ${at}`);
}

/** The plan with what AWS says; where nobody is logged in, for an account of which nothing is known. */
async function dryRun(
  given: DeployGiven,
  region: string,
  suppliesFor: (facts: Facts) => Supplies,
  { aws, display }: AwsSession,
  context: Context,
): Promise<number> {
  const {
    checkDeployment,
    decodeOthers,
    engineOf,
    loadTemplate,
    planDeployment,
    prepareDeployment,
    unknownFacts,
  } = await import('@kikitori/deploy');
  const { signal } = context;
  const settings = settingsOf(given, decodeOthers);
  let prepared: PreparedDeployment | undefined;
  try {
    prepared = await prepareDeployment(aws, settings, suppliesFor, signal);
  } catch (error) {
    if (!isLoggedOut(error)) throw error;
    const sentence =
      'No AWS credentials: this is the plan for an account 000000000000 in which nothing is there yet.';
    display.note(sentence);
  }
  if (prepared !== undefined) {
    for (const check of await checkDeployment(aws, prepared, signal))
      display.rows(checkRows(check, display.style, context.stderr));
  }
  const facts = unknownFacts(region);
  const asked = { ...settings, engine: engineOf(given.engine, undefined) };
  const plan = prepared?.plan ?? planDeployment(asked, facts, suppliesFor(facts));
  context.stdout.write(planReport(plan, await loadTemplate(), context.stdout));
  return 0;
}

function isLoggedOut(error: unknown): boolean {
  // Ours, by its code; the class is loaded only where AWS is asked.
  return error instanceof Error && (error as DeployError).code === 'credentials_unavailable';
}
