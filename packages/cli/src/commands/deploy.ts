import type { AskedSettings, Check, Facts, PreparedDeployment, Supplies } from '@kikitori/deploy';
import { type DeployGiven, deployOptions, settingsOf } from '../aws/deploy-options.js';
import { checkRows, planReport } from '../aws/plan-report.js';
import { suppliesMaker } from '../aws/supplies.js';
import { tryEndpoint } from '../aws/try-endpoint.js';
import { type AwsSession, regionOf, withAws } from '../aws/with-aws.js';
import { type CommandInput, defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { folded } from '../terminal/beside.js';
import type { Display } from '../terminal/display.js';

/** `kikitori deploy`: from nothing to an endpoint in service, or from one to a changed one. */
export const deploy = defineCommand({
  summary: 'make or change a SageMaker endpoint on AWS',
  operands: [],
  options: deployOptions,
  examples: [
    'kikitori deploy --dry-run',
    'kikitori deploy --policy > policy.json',
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
  const region = await regionOf(given.region, context);
  return await withAws(region, context, async (session) => {
    const suppliesFor = await suppliesMaker(given, session.aws, context);
    const work = { given, settings, suppliesFor, session, context };
    if (given.dryRun || given.policy) return await draft(work);
    const prepared = await checked(work);
    await bringAbout(prepared, session, context);
    await finish({ given, region, cost: prepared.plan.cost }, session, context);
    return 0;
  });
}

/** What one run works with. */
interface Work {
  readonly given: DeployGiven;
  readonly settings: AskedSettings;
  readonly suppliesFor: (facts: Facts) => Supplies;
  readonly session: AwsSession;
  readonly context: Context;
}

/** The plan, once everything that must hold was seen to hold. */
async function checked({
  given,
  settings,
  suppliesFor,
  session,
  context,
}: Work): Promise<PreparedDeployment> {
  const { checkDeployment, DeployError: Failure, prepareDeployment } = await import('@kikitori/deploy');
  const { aws, display } = session;
  const { signal } = context;
  const prepared = await prepareDeployment(aws, settings, suppliesFor, signal);
  display.note(`Cost: ${prepared.plan.cost}`);
  const options = { signal, skipsPermissions: given.skipPermissionCheck };
  const checks = await checkDeployment(aws, prepared, options);
  showChecks(checks, display, context);
  if (checks.some(({ state }) => state === 'missing')) throw new Failure('not_ready');
  for (const { failure } of checks) if (failure !== undefined) throw failure;
  return prepared;
}

function showChecks(checks: readonly Check[], display: Display, { stderr }: Context): void {
  for (const check of checks) display.rows(checkRows(check, display.style, stderr));
}

async function bringAbout(
  prepared: PreparedDeployment,
  { aws, display, onProgress }: AwsSession,
  { signal }: Context,
): Promise<void> {
  const { deployEndpoint } = await import('@kikitori/deploy');
  try {
    await deployEndpoint(aws, prepared, { signal, onProgress });
  } catch (error) {
    if (signal.aborted) display.note(GOES_ON);
    throw error;
  }
}

/** What was made. */
interface Made {
  readonly given: DeployGiven;
  readonly region: string;
  readonly cost: string;
}

/** A try, and what to do with the endpoint; that is there, and costs, also where only the try fails. */
async function finish(
  { given: { endpoint, skipTry }, region, cost }: Made,
  { display }: AwsSession,
  context: Context,
): Promise<void> {
  const at = `--endpoint ${endpoint} --region ${region}`;
  try {
    if (!skipTry) await tryEndpoint({ endpoint, region }, context, display);
  } catch (error) {
    const what = context.signal.aborted ? 'was broken off' : 'failed';
    display.note(`The endpoint ${endpoint} is made and in service; only the try at the end ${what}.`);
    display.note(`It costs:     ${cost}`);
    throw error;
  } finally {
    display.note(`Speak to it:  kikitori listen ${at}`);
    display.note(`Look at it:   kikitori status ${at}`);
    display.note(`Remove it:    kikitori destroy ${at}`);
  }
}

/** The plan, or the policy, with what AWS says; as far as it says something. */
async function draft({ given, settings, suppliesFor, session, context }: Work): Promise<number> {
  const { draftDeployment } = await import('@kikitori/deploy');
  const { aws, display } = session;
  display.note('… Asking AWS whose keys these are, and what is there');
  const { plan, checks } = await draftDeployment(aws, settings, suppliesFor, {
    signal: context.signal,
    skipsPermissions: given.skipPermissionCheck,
    checksNothing: given.policy,
  });
  showChecks(checks, display, context);
  context.stdout.write(
    given.policy ? `${JSON.stringify(plan.policy, undefined, 2)}\n` : planReport(plan, context.stdout),
  );
  return 0;
}
