import { DeployError } from '../errors.js';

/** What the arithmetic needs to know about an instance type. */
export interface Instance {
  /** As SageMaker spells it: `ml.g6.4xlarge`. */
  readonly type: string;
  readonly vcpus: number;
  /** 0 where there is none. */
  readonly gpus: number;
  /** Memory of one GPU as its driver shows it, in GiB. */
  readonly gpuMemoryGib: number;
}

const gpu = (gpuMemoryGib: number, rows: Readonly<Record<string, readonly [number, number]>>): Instance[] =>
  Object.entries(rows).map(([type, [vcpus, gpus]]) => ({ type, vcpus, gpus, gpuMemoryGib }));

const CPU_SIZES = { large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 } as const;
const cpu = (family: string, sizes: Readonly<Record<string, number>>): Instance[] =>
  Object.entries(sizes).map(([size, vcpus]) => ({
    type: `ml.${family}.${size}`,
    vcpus,
    gpus: 0,
    gpuMemoryGib: 0,
  }));

// 24 GB of an L4 and an A10G are 22.5 GiB to the driver, 16 GB of a T4 14.6, 48 GB of an L40S 44.7.
const INSTANCES: readonly Instance[] = [
  ...gpu(22.5, {
    'ml.g6.xlarge': [4, 1],
    'ml.g6.2xlarge': [8, 1],
    'ml.g6.4xlarge': [16, 1],
    'ml.g6.8xlarge': [32, 1],
    'ml.g6.16xlarge': [64, 1],
    'ml.g6.12xlarge': [48, 4],
    'ml.g6.24xlarge': [96, 4],
    'ml.g6.48xlarge': [192, 8],
    'ml.g5.xlarge': [4, 1],
    'ml.g5.2xlarge': [8, 1],
    'ml.g5.4xlarge': [16, 1],
    'ml.g5.8xlarge': [32, 1],
    'ml.g5.16xlarge': [64, 1],
    'ml.g5.12xlarge': [48, 4],
    'ml.g5.24xlarge': [96, 4],
    'ml.g5.48xlarge': [192, 8],
  }),
  ...gpu(44.7, {
    'ml.g6e.xlarge': [4, 1],
    'ml.g6e.2xlarge': [8, 1],
    'ml.g6e.4xlarge': [16, 1],
    'ml.g6e.8xlarge': [32, 1],
    'ml.g6e.16xlarge': [64, 1],
    'ml.g6e.12xlarge': [48, 4],
    'ml.g6e.24xlarge': [96, 4],
    'ml.g6e.48xlarge': [192, 8],
  }),
  ...cpu('c5', { large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16, '9xlarge': 36 }),
  ...cpu('c6i', CPU_SIZES),
  ...cpu('c7i', CPU_SIZES),
  ...cpu('m5', { large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16 }),
  ...cpu('m6i', CPU_SIZES),
  ...cpu('m7i', CPU_SIZES),
];

/** Every type that can be planned for. */
export const INSTANCE_TYPES: readonly string[] = INSTANCES.map(({ type }) => type);

/** The row of a type. Throws `DeployError` `instance_unknown`. */
export function instanceOf(type: string): Instance {
  const found = INSTANCES.find((one) => one.type === type);
  if (found !== undefined) return found;
  throw new DeployError('instance_unknown', {
    sentence:
      'This instance type is not in the table of those that can be planned for (g5, g6 and g6e for vllm; c5, c6i, c7i, m5, m6i and m7i for moonshine); choose one of them, or use the template by itself.',
  });
}
