import { VARIANT } from './endpoint-values.js';

/** One line in a graph: namespace, metric, statistic. */
interface Line {
  readonly namespace: string;
  readonly metric: string;
  readonly statistic: string;
  /** Seconds between points. */
  readonly period?: number;
}

interface Graph {
  readonly title: string;
  readonly unit: string;
  readonly lines: readonly Line[];
}

const SERVICE = 'AWS/SageMaker';
const HOST = '/aws/sagemaker/Endpoints';

const GRAPHS: readonly Graph[] = [
  {
    title: 'Sessions at once on one instance',
    unit: 'sessions',
    lines: [{ namespace: SERVICE, metric: 'ConcurrentRequestsPerModel', statistic: 'Maximum', period: 10 }],
  },
  {
    title: 'Sessions begun',
    unit: 'a minute',
    lines: [{ namespace: SERVICE, metric: 'Invocations', statistic: 'Sum' }],
  },
  {
    title: 'Time to the first answer',
    unit: 'microseconds',
    lines: [
      { namespace: SERVICE, metric: 'FirstChunkLatency', statistic: 'p50' },
      { namespace: SERVICE, metric: 'FirstChunkLatency', statistic: 'p90' },
    ],
  },
  {
    title: 'Errors',
    unit: 'sessions',
    lines: ['MidStreamErrors', 'InvocationModelErrors', 'Invocation4XXErrors', 'Invocation5XXErrors'].map(
      (metric) => ({ namespace: SERVICE, metric, statistic: 'Sum' }),
    ),
  },
  {
    title: 'GPU (all of an instance added up)',
    unit: 'percent',
    lines: ['GPUUtilization', 'GPUMemoryUtilization'].map((metric) => ({
      namespace: HOST,
      metric,
      statistic: 'Maximum',
    })),
  },
  {
    title: 'Processor (all cores added up), memory, disk',
    unit: 'percent',
    lines: ['CPUUtilization', 'MemoryUtilization', 'DiskUtilization'].map((metric) => ({
      namespace: HOST,
      metric,
      statistic: 'Maximum',
    })),
  },
];

// What `Fn::Sub` puts in; written so that nobody takes them for placeholders of ours.
const NAME = `\${Name}`;
const REGION = `\${AWS::Region}`;

const WIDTH = 12;
const HEIGHT = 6;

/** The dashboard as JSON text for `Fn::Sub`: `${Name}` is the endpoint's, `${AWS::Region}` the stack's. */
export function dashboardBody(): string {
  const widgets = GRAPHS.map(({ title, unit, lines }, index) => ({
    type: 'metric',
    x: (index % 2) * WIDTH,
    y: Math.floor(index / 2) * HEIGHT,
    width: WIDTH,
    height: HEIGHT,
    properties: {
      title,
      region: REGION,
      yAxis: { left: { label: unit, min: 0, showUnits: false } },
      metrics: lines.map(({ namespace, metric, statistic, period = 60 }) => [
        namespace,
        metric,
        'EndpointName',
        NAME,
        'VariantName',
        VARIANT,
        { stat: statistic, period, label: statistic.startsWith('p') ? `${metric} ${statistic}` : metric },
      ]),
    },
  }));
  const rows = widgets.map((widget) => `  ${JSON.stringify(widget)}`);
  return `{"widgets":[\n${rows.join(',\n')}\n]}\n`;
}
