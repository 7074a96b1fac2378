// Makes a type of each schema of an AsyncAPI description: node models.mjs asyncapi.yaml folder
import { readFileSync } from 'node:fs';
import { TypeScriptFileGenerator } from '@asyncapi/modelina';

const [description, folder] = process.argv.slice(2);
const generator = new TypeScriptFileGenerator({
  modelType: 'interface',
  enumType: 'union',
  mapType: 'record',
  moduleSystem: 'ESM',
  rawPropertyNames: true,
  useJavascriptReservedKeywords: false,
});
const models = await generator.generateToFiles(readFileSync(description, 'utf8'), folder, { exportType: 'named' });
const unnamed = models.map((m) => m.modelName).filter((name) => /anonymous|\d|^reserved/i.test(name));
if (unnamed.length > 0) {
  console.error(`${description}: modelina has no name for ${unnamed.length} schemas: ${unnamed.join(' ')}`);
  process.exit(1);
}
