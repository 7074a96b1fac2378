// Writes the JSON schemas that kubeconform asks for, from the API description of a release of
// Kubernetes (api/openapi-spec/swagger.json): one definitions file, and for each kind that is named a
// file that refers to it. Fields that the API does not have are refused, as the API server does with
// fieldValidation=Strict.
//
//   node kubernetes-schemas.mjs SWAGGER FOLDER apps/v1/StatefulSet v1/Service ...
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const [swagger, folder, ...kinds] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(swagger, 'utf8'));

const refer = (ref) => ref.replace('#/definitions/', '_definitions.json#/definitions/');

// The schema of an object allows the properties that it names and no others. Descriptions are left out.
const strict = (schema) => {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema.format === 'int-or-string') return { oneOf: [{ type: 'string' }, { type: 'integer' }] };
  const out = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === '$ref') out.$ref = refer(value);
    else if (key === 'properties') out.properties = eachOf(value);
    else if (key !== 'description' && !key.startsWith('x-kubernetes')) out[key] = strict(value);
  }
  if (out.properties) out.additionalProperties ??= false;
  return out;
};

const eachOf = (schemas) => Object.fromEntries(Object.entries(schemas).map(([name, s]) => [name, strict(s)]));

mkdirSync(folder, { recursive: true });
const all = eachOf(definitions);
// A quantity may be a number in YAML.
all['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { oneOf: [{ type: 'string' }, { type: 'number' }] };
writeFileSync(join(folder, '_definitions.json'), JSON.stringify({ definitions: all }));

for (const wanted of kinds) {
  const parts = wanted.split('/');
  const [version, kind] = parts.slice(-2);
  const group = parts.length === 3 ? parts[0] : '';
  const found = Object.entries(definitions).find(([, d]) =>
    d['x-kubernetes-group-version-kind']?.some((g) => g.group === group && g.version === version && g.kind === kind),
  );
  if (!found) throw new Error(`${swagger} has no ${wanted}`);
  const file = [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
  writeFileSync(join(folder, `${file}.json`), JSON.stringify({ $ref: `_definitions.json#/definitions/${found[0]}` }));
}
