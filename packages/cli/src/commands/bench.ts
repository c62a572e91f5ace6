import { defineCommand } from '../command.js';
export const bench = defineCommand({
  summary: 'x',
  operands: [],
  options: {},
  examples: [],
  run: async () => 0,
});
