/** ONNX Runtime, loaded here and nowhere else: after its reports to its maker were switched off. */
import { silenceRuntime } from './silence.js';

silenceRuntime();
// Not a static import: those are loaded before the first line runs.
const runtime = await import('onnxruntime-node');

/** A model that is ready to run. */
export const InferenceSession = runtime.InferenceSession;
/** What goes into a model and what comes out. */
export const Tensor = runtime.Tensor;
