/** Every bound of this package, each with its reason and with what happens there. */
export const DEPLOY_LIMITS = {
  /** Longest template that CloudFormation takes in a request; the test holds ours below. */
  templateBytesMax: 51_200,
} as const;
