import { expect, test } from 'vitest';

/** The names users may rely on. A change here is a change of the public API and belongs in the changelog. */
const ENTRIES: Record<string, () => Promise<object>> = {
  '.': () => import('../src/index.ts'),
  './tensor': () => import('../src/entry/tensor.ts'),
  './nn': () => import('../src/entry/nn.ts'),
  './models': () => import('../src/entry/models.ts'),
  './framepack': () => import('../src/entry/framepack.ts'),
};

test.each(Object.entries(ENTRIES))('%s exports exactly these names', async (_, load) => {
  const names = Object.keys(await load());
  expect(names.toSorted()).toMatchSnapshot();
});
