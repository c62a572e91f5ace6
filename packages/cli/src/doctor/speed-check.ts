export const speedCheck = { name: 'Speed', look: async () => ({ status: 'ok' as const, detail: '' }) };
