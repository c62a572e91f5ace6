export const nodeClientsHome: string;
export const pythonClientsHome: string;
export const clientsPython: string;
