import { expect, it } from 'vitest';
import { meanwhile } from '../../src/evaluation/run.js';
import type { Engine } from '../../src/subjects/bundled/index.js';

function engine(): Engine & { closed: number } {
  const fake = { closed: 0, close: () => Promise.resolve(void fake.closed++) };
  return fake as unknown as Engine & { closed: number };
}

it('makes something before the engine is there, and gives both', async () => {
  const order: string[] = [];
  const opened = engine();
  const opening = Promise.resolve().then(() => (order.push('opened'), opened));
  const both = await meanwhile(opening, () => order.push('made'));
  expect(both).toEqual({ engine: opened, made: 1 });
  expect(order).toEqual(['made', 'opened']);
  expect(opened.closed).toBe(0);
});

it('closes the engine where the making fails', async () => {
  const opened = engine();
  const fails = (): never => {
    throw new Error('no contexts');
  };
  await expect(meanwhile(Promise.resolve(opened), fails)).rejects.toThrow('no contexts');
  expect(opened.closed).toBe(1);
});

it('says why the engine could not be opened', async () => {
  const opening = Promise.reject(new Error('no model'));
  await expect(meanwhile(opening, () => 1)).rejects.toThrow('no model');
});
