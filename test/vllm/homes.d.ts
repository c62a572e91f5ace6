export declare const VLLM_VERSIONS: readonly string[];
export declare function vllmHome(version: string): string;
export declare function vllmPython(version: string): string;
