// What the programs are told by the test that runs them.
declare const process: { env: Record<string, string | undefined> };

export const url = process.env['PERCH_URL'] ?? '';
export const token = process.env['PERCH_TOKEN'] ?? '';
