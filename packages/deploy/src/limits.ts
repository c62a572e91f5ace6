/** Every bound of this package, each with its reason and with what happens there. */
export const DEPLOY_LIMITS = {
  /** Longest template that CloudFormation takes in a request; the test holds ours below. Above: `invalid_setting`. */
  templateBytesMax: 51_200,

  /**
   * Longest managed policy that IAM takes, white space not counted; the tests hold the printed one below for every name and region. (All inline
   * policies of a role may have 10,240 together, of a user 2,048.)
   */
  policyCharactersMax: 6_144,
  /** Of the ARN of an image or of weights that somebody has named. A longer one is cut, and what begins like it is allowed as well. */
  policyArnCharactersMax: 200,
  /** Variables of a container, bytes of the name or the value of one, and of all: SageMaker's bounds. Above: `invalid_setting`, in the plan. */
  variablesMax: 100,
  variableBytesMax: 1_024,
  variablesBytesMax: 32 * 1_024,
  /** Longest value of a template's parameter: CloudFormation's bound. Above: `invalid_setting`, in the plan. */
  parameterBytesMax: 4_096,

  /** Tries of one call that was throttled or failed inside AWS. Then: `throttled`, `aws_failed`, `aws_unreachable`. */
  callAttemptsMax: 8,
  /** First wait between two tries; it doubles, with jitter, up to the second figure: about two minutes in all. */
  callDelayMs: 500,
  callDelayMsMax: 20_000,
  /** One answer of AWS, getting the keys to ask with included. Then the call is tried again. */
  callTimeoutMs: 30_000,
  /** The first question of every command, whose keys these are: without a way to AWS it says so soon. Then: `aws_unreachable`. */
  identityTimeoutMs: 8_000,
  identityAttemptsMax: 2,
  /** One check for a plan that is only looked at, or what is there already; a hub that is slow to answer included. Then it counts as unknown. */
  draftCheckMsMax: 15_000,

  /** How often a stack is looked at: CloudFormation's events are seconds apart. Less often the longer it takes. */
  stackPollMs: 5_000,
  stackPollMsMax: 20_000,
  /** A new endpoint pulls 20 GB of image and 9 of weights: 40 minutes were seen. Then: `wait_timeout`, and the next run waits on. */
  stackWaitMsMax: 3 * 3_600_000,
  /** A stack that was told to begin may stand still for a moment. Then it counts as ended. */
  stackStartMsMax: 2 * 60_000,
  /** A change set is worked out in seconds. Then: `wait_timeout`. */
  changeSetPollMs: 2_000,
  changeSetWaitMsMax: 10 * 60_000,
  /** Removing a change set that will not be executed, behind Ctrl-C. Then it stays, without effect. */
  discardMsMax: 3_000,
  /** Rounds of one run: wait for what is going on, remove what failed, make anew. Then: `stack_busy`. */
  roundsMax: 8,
  /** How often one run makes anew because a new role was not known everywhere yet. Then: `stack_failed`. */
  roleRetriesMax: 2,
  /** Pause before that: roles are known everywhere within seconds, mostly ten. */
  rolePauseMs: 20_000,
  /** Events of a stack that are read for one look; a whole deployment has some sixty. The older ones are not shown. */
  eventPagesMax: 5,

  /** Pages of quotas that are read; there are some thousand of a hundred a page. Then the quota counts as unknown. */
  quotaPagesMax: 60,

  /** Pages of models that are looked through for others who use an image or weights, a hundred a page. With more, what may be used is left. */
  modelPagesMax: 20,

  /** Pages of alarms whose names begin as those of an endpoint, a hundred a page. The rest is not shown. */
  alarmPagesMax: 20,

  /** How often the log is asked when it is followed. */
  logPollMs: 2_000,
  /** Pages of one look into the log. The rest comes with the next look, or is left out and said. */
  logPagesMax: 50,
  /** Ids of log lines that are remembered, so that none is shown twice. The oldest are forgotten. */
  logSeenMax: 10_000,
  /** How long before the newest line CloudWatch may still add lines. */
  logLateMs: 30_000,

  /** Of the words of AWS that an error repeats. */
  serviceTextMax: 1_024,
} as const;
