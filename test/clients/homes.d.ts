export const nodeClientsHome: string;
export const pythonHomes: { readonly sdks: string; readonly pipecat: string };
export function pythonOf(pythonHome: string): string;
