import type { FuzzTarget } from '../target.js';
import { AUDIO_TARGETS } from './audio.js';
import { DIALECT_TARGETS } from './dialects.js';
import { DOOR_TARGETS } from './doors.js';
import { EVENT_STREAM_TARGETS } from './event-stream.js';
import { EVENT_TARGETS } from './events.js';
import { FRAME_TARGETS } from './frames.js';
import { HEADER_TARGETS } from './headers.js';
import { SERVER_TARGETS } from './server.js';
import { SETTINGS_TARGETS } from './settings.js';
import { WYOMING_TARGETS } from './wyoming.js';

/** Everything that is attacked. */
export const TARGETS: readonly FuzzTarget[] = [
  ...EVENT_TARGETS,
  ...DIALECT_TARGETS,
  ...WYOMING_TARGETS,
  ...FRAME_TARGETS,
  ...EVENT_STREAM_TARGETS,
  ...AUDIO_TARGETS,
  ...SETTINGS_TARGETS,
  ...DOOR_TARGETS,
  ...HEADER_TARGETS,
  ...SERVER_TARGETS,
];
