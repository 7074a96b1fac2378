// How often components were rendered, for those who look: the test of this example does.
declare global {
  var renders: Record<string, number> | undefined;
}

export function count(what: string): void {
  if (globalThis.renders) globalThis.renders[what] = (globalThis.renders[what] ?? 0) + 1;
}
