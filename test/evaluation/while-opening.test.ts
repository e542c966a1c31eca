import { expect, it } from 'vitest';
import { whileOpening } from '../../src/evaluation/on-subject.js';
import type { Opened } from '../../src/subjects/subject.js';

const opened = { lanes: 1, tokensPerRequest: 1 } as Opened;

function subject(open: () => Promise<Opened> = () => Promise.resolve(opened)) {
  const fake = { closed: 0, open, close: () => Promise.resolve(void fake.closed++) };
  return fake;
}

it('makes something before the subject is open, and gives both', async () => {
  const order: string[] = [];
  const fake = subject(() => Promise.resolve().then(() => (order.push('opened'), opened)));
  const both = await whileOpening(fake, 256, () => order.push('made'));
  expect(both).toEqual({ opened, made: 1 });
  expect(order).toEqual(['made', 'opened']);
  expect(fake.closed).toBe(0);
});

it('closes the subject where the making fails', async () => {
  const fake = subject();
  const fails = (): never => {
    throw new Error('no contexts');
  };
  await expect(whileOpening(fake, 256, fails)).rejects.toThrow('no contexts');
  expect(fake.closed).toBe(1);
});

it('says why the subject could not be opened', async () => {
  const fake = subject(() => Promise.reject(new Error('no model')));
  await expect(whileOpening(fake, 256, () => 1)).rejects.toThrow('no model');
});
