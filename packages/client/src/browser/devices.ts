import { CaptureError } from './errors.js';

/** A microphone, as the browser names it. Names are empty until the user has allowed one. */
export interface MicrophoneInfo {
  readonly id: string;
  readonly label: string;
}

/** Which microphone, and what the browser does to its sound. */
export interface MicrophoneOptions {
  /** Of `listMicrophones`. Default: the system's. */
  readonly deviceId?: string;
  /**
   * Filters that browsers have for calls. Default: all off but the gain, without which the words of a quiet microphone are
   * lost and with which hardly one of a loud one is misheard (figures in docs/page.md).
   */
  readonly noiseSuppression?: boolean;
  readonly echoCancellation?: boolean;
  readonly autoGainControl?: boolean;
}

/** Opens a microphone; the caller stops its tracks (`Capture.stop` does). Asks the user where needed. Rejects with `CaptureError`. */
export async function openMicrophone(options: MicrophoneOptions = {}): Promise<MediaStream> {
  const { deviceId, noiseSuppression = false, echoCancellation = false, autoGainControl = true } = options;
  const devices = mediaDevices();
  const audio: MediaTrackConstraints = {
    noiseSuppression,
    echoCancellation,
    autoGainControl,
    ...(deviceId === undefined ? {} : { deviceId: { exact: deviceId } }),
  };
  try {
    return await devices.getUserMedia({ audio });
  } catch (error) {
    throw fromMediaError(error);
  }
}

/**
 * Whether this browser can share the sound of a tab. Firefox and Safari share pictures alone, by a method of the same name;
 * only browsers that share sound know what it is to silence it here.
 */
export function canShareTabAudio(): boolean {
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  return (
    typeof devices?.getDisplayMedia === 'function' &&
    'suppressLocalAudioPlayback' in devices.getSupportedConstraints()
  );
}

/**
 * Opens the sound of a tab that the user picks; the stream has its picture, too, small and slow, for browsers refuse to
 * share sound alone. Rejects with `CaptureError`: `unsupported` where `canShareTabAudio` is false, `no_audio` where the
 * tab was shared without its sound.
 */
export async function openTabAudio(): Promise<MediaStream> {
  const devices = mediaDevices();
  if (!canShareTabAudio()) {
    throw new CaptureError('unsupported', 'This browser cannot share the sound of a tab.');
  }
  const audio = { noiseSuppression: false, echoCancellation: false, autoGainControl: false };
  const video = { width: 160, frameRate: 1 };
  const stream = await devices.getDisplayMedia({ audio, video }).catch((error: unknown) => {
    throw fromMediaError(error);
  });
  if (stream.getAudioTracks().length > 0) return stream;
  for (const track of stream.getTracks()) track.stop();
  throw new CaptureError('no_audio', 'The tab was shared without its sound; tick "Also share tab audio".');
}

/** The microphones that there are now. Names and ids are empty before the user has allowed one. */
export async function listMicrophones(): Promise<readonly MicrophoneInfo[]> {
  const devices = await mediaDevices().enumerateDevices();
  return devices
    .filter(({ kind, deviceId }) => kind === 'audioinput' && deviceId !== '')
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
}

/** Calls whenever a device was plugged in or out. The returned function ends that. */
export function watchMicrophones(call: () => void): () => void {
  const devices = navigator.mediaDevices;
  devices?.addEventListener('devicechange', call);
  return () => devices?.removeEventListener('devicechange', call);
}

function mediaDevices(): MediaDevices {
  if (!isSecureContext) {
    throw new CaptureError(
      'insecure_context',
      'Browsers give a microphone only to pages over https or on localhost.',
    );
  }
  // The DOM's types say that it is always there; where it is switched off, it is not.
  const devices: MediaDevices | undefined = navigator.mediaDevices;
  if (typeof devices?.getUserMedia !== 'function') {
    throw new CaptureError('unsupported', 'This browser has no way to a microphone.');
  }
  return devices;
}

/** The names that the Media Capture specification gives to what may go wrong. */
function fromMediaError(error: unknown): CaptureError {
  switch (error instanceof Error ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return new CaptureError(
        'permission_denied',
        'The microphone is not allowed here; allow it beside the address.',
        error,
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return new CaptureError('no_device', 'No such microphone; plug one in, then try again.', error);
    case 'NotReadableError':
    case 'AbortError':
      return new CaptureError(
        'device_busy',
        'The microphone does not answer; another program may have it.',
        error,
      );
    default:
      return new CaptureError('unsupported', 'This browser cannot record here.', error);
  }
}
