/**
 * List prices of hosting instances, USD an hour, on demand. From public price tables (several projects on GitHub that agree with each other), read on
 * 2026-11-23; not asked of AWS. Prices move: the pricing page of SageMaker AI is what counts.
 */
export const PRICES_DATE = '2026-11-23';
export const PRICES_SOURCE =
  'list price from public tables, check https://aws.amazon.com/sagemaker/ai/pricing/';

/** Regions whose prices the tables give, all three the same. Elsewhere the price is not known here; mostly it is higher. */
const REGIONS: readonly string[] = ['us-east-1', 'us-east-2', 'us-west-2'];

const HOUR_USD: Readonly<Record<string, number>> = {
  'ml.g6.xlarge': 1.127,
  'ml.g6.2xlarge': 1.222,
  'ml.g6.4xlarge': 1.654,
  'ml.g6.8xlarge': 2.518,
  'ml.g6.12xlarge': 5.752,
  'ml.g6.16xlarge': 4.246,
  'ml.g6.24xlarge': 8.344,
  'ml.g5.xlarge': 1.408,
  'ml.g5.2xlarge': 1.515,
  'ml.g5.12xlarge': 7.09,
  'ml.g5.24xlarge': 10.18,
  'ml.g5.48xlarge': 20.36,
  'ml.c5.xlarge': 0.204,
  'ml.c5.2xlarge': 0.408,
  'ml.c5.9xlarge': 1.836,
  'ml.m5.large': 0.115,
  'ml.m5.xlarge': 0.23,
  'ml.m5.2xlarge': 0.461,
};

/** What an hour of one instance costs in USD, or undefined where the tables do not say. */
export function hourlyUsd(instanceType: string, region: string): number | undefined {
  return REGIONS.includes(region) ? HOUR_USD[instanceType] : undefined;
}

/** One line about money: an hour at the fewest and the most instances, and a month of the fewest. */
export function costLine(
  {
    instanceType,
    instancesMin,
    instancesMax,
  }: { readonly instanceType: string; readonly instancesMin: number; readonly instancesMax: number },
  region: string,
): string {
  const each = hourlyUsd(instanceType, region);
  if (each === undefined) return unknownCost(instanceType, region);
  const most =
    instancesMax > instancesMin ? `, up to ${dollars(each * instancesMax)} with ${instancesMax}` : '';
  return `${dollars(each * instancesMin)} an hour with ${instancesMin} × ${instanceType}${most} (${dollars(each * instancesMin * 730)} a month), paid from creation to destroy, also when nobody speaks; ${PRICES_SOURCE} (${PRICES_DATE}).`;
}

/** What is said where the tables say nothing: that they do not, what is nearest, and how to look it up. */
function unknownCost(instanceType: string, region: string): string {
  const nearest = HOUR_USD[instanceType];
  const there =
    nearest === undefined
      ? `the tables of ${PRICES_DATE} do not have this type`
      : `the tables of ${PRICES_DATE} are of ${REGIONS.join(', ')}, where it was ${dollars(nearest)} an hour; elsewhere it is mostly more`;
  return `not known for ${instanceType} in ${region}: ${there}. Look it up first: ${lookUp(instanceType, region)} or https://aws.amazon.com/sagemaker/ai/pricing/. It is paid for each instance from creation to destroy, also when nobody speaks.`;
}

/** AWS's own price list answers this. It has an address in a few regions only. */
function lookUp(instanceType: string, region: string): string {
  const filters = { instanceName: instanceType, regionCode: region, component: 'Hosting' };
  const words = Object.entries(filters).map(
    ([field, value]) => `Type=TERM_MATCH,Field=${field},Value=${value}`,
  );
  return `aws pricing get-products --region us-east-1 --service-code AmazonSageMaker --filters ${words.join(' ')}`;
}

/** `$1.65`; three decimals below ten cents. */
export function dollars(usd: number): string {
  return `$${usd.toFixed(usd < 0.1 ? 3 : 2)}`;
}
