import { partition } from '@aws-sdk/core/client';
import { describe, expect, it } from 'vitest';
import { awsPartitionOf, isAwsRegion } from '../src/aws-partition.js';

const REGIONS = [
  'us-east-1',
  'ap-southeast-7',
  'mx-central-1',
  'cn-northwest-1',
  'us-gov-west-1',
  'eusc-de-east-1',
  'us-iso-east-1',
  'us-isob-west-1',
  'eu-isoe-west-1',
  'us-isof-south-1',
];

describe('the partition of a region', () => {
  it.each(REGIONS)("is what AWS's own clients say: %s", (region) => {
    const { name, dnsSuffix, dualStackDnsSuffix } = partition(region);
    expect(awsPartitionOf(region)).toMatchObject({ id: name, dnsSuffix, dualStackDnsSuffix });
  });

  it('is the largest one for a region that is new to us', () => {
    expect(awsPartitionOf('xx-new-1')).toMatchObject({ id: 'aws', dnsSuffix: 'amazonaws.com' });
  });
});

describe('a region', () => {
  it.each(REGIONS)('is known by how it is written: %s', (region) => {
    expect(isAwsRegion(region)).toBe(true);
  });

  it.each([
    '',
    'nowhere',
    'us-east',
    'US-EAST-1',
    'us-east-1a',
    'us-east-1.evil.com',
    'us--1',
    'us-east-111',
  ])('is not: %s', (text) => {
    expect(isAwsRegion(text)).toBe(false);
  });
});
