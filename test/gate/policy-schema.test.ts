import { readdirSync, readFileSync } from 'node:fs';
import { format } from 'prettier';
import { describe, expect, it } from 'vitest';
import { parsePolicy, policyJsonSchema } from '../../src/gate/policy.js';

const ROOT = new URL('../../', import.meta.url);

// `npx vitest run test/gate/policy-schema.test.ts -u` writes it again.
it('the shipped JSON Schema is current', async () => {
  const text = await format(JSON.stringify(policyJsonSchema()), {
    parser: 'json',
    printWidth: 100,
  });
  await expect(text).toMatchFileSnapshot('../../schemas/policy.schema.json');
});

describe('the example policies', () => {
  const folder = new URL('configs/policies/', ROOT);
  it.each(readdirSync(folder))('%s is one', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const policy = parsePolicy(text, name);
    expect(policy.rules.length).toBeGreaterThan(0);
    expect(JSON.parse(text)).toHaveProperty('$schema');
  });
});
