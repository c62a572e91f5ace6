/** A part of AWS that is run by itself, with accounts, names and addresses of its own. */
export interface AwsPartition {
  /** As ARNs have it: `aws`, `aws-cn`, `aws-eusc`. */
  readonly id: string;
  /** What hosts of its services end with. */
  readonly dnsSuffix: string;
  /** Likewise, for those that have IPv6 as well. */
  readonly dualStackDnsSuffix: string;
}

interface Row extends AwsPartition {
  readonly regions: RegExp;
}

// AWS's own table; a test holds it to that of AWS's SDK.
const PARTITIONS: readonly Row[] = [
  row('aws-cn', /^cn-/, 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'),
  row('aws-us-gov', /^us-gov-/, 'amazonaws.com', 'api.aws'),
  row('aws-eusc', /^eusc-/, 'amazonaws.eu', 'api.amazonwebservices.eu'),
  row('aws-iso', /^us-iso-/, 'c2s.ic.gov', 'api.aws.ic.gov'),
  row('aws-iso-b', /^us-isob-/, 'sc2s.sgov.gov', 'api.aws.scloud'),
  row('aws-iso-e', /^eu-isoe-/, 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'),
  row('aws-iso-f', /^us-isof-/, 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'),
];

/** Every other region, also one that is new to us. */
const COMMERCIAL: AwsPartition = row('aws', /^/, 'amazonaws.com', 'api.aws');

/** The partition that a region is in. */
export function awsPartitionOf(region: string): AwsPartition {
  return PARTITIONS.find(({ regions }) => regions.test(region)) ?? COMMERCIAL;
}

const REGION = /^[a-z]{2,4}(-[a-z]{1,16}){1,3}-\d{1,2}$/;

/** Whether this is written as regions are: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. */
export function isAwsRegion(text: string): boolean {
  return REGION.test(text);
}

function row(id: string, regions: RegExp, dnsSuffix: string, dualStackDnsSuffix: string): Row {
  return { id, regions, dnsSuffix, dualStackDnsSuffix };
}
