// Writes template/kikitori-endpoint.yaml from the construct. Run after a build: node packages/deploy/build-template.js
import { writeFileSync } from 'node:fs';
import { synthesizeTemplate } from './dist/cdk/index.js';
import { templateText } from './dist/template-text.js';

writeFileSync(
  new URL('./template/kikitori-endpoint.yaml', import.meta.url),
  templateText(synthesizeTemplate()),
);
