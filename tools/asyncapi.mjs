// Parses an AsyncAPI description and its references, and fails on anything that is not
// worth a shrug: node asyncapi.mjs ../asyncapi.yaml
import { DiagnosticSeverity, Parser, fromFile } from '@asyncapi/parser';

const names = ['error', 'warning', 'information', 'hint'];
// A newer version of the specification is no fault of the description.
const excused = new Set(['asyncapi-latest-version']);

let failed = false;
for (const file of process.argv.slice(2)) {
  const { document, diagnostics } = await fromFile(new Parser(), file).parse();
  for (const d of diagnostics) {
    if (d.severity > DiagnosticSeverity.Warning || excused.has(d.code)) continue;
    failed = true;
    console.error(`${file}:${d.range.start.line + 1}: ${names[d.severity]}: ${d.message} (${d.code}) at ${d.path.join('.')}`);
  }
  failed ||= !document;
}
process.exit(failed ? 1 : 0);
