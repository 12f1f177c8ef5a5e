import { expect, test } from 'vitest';

/** The names users may rely on. A change here is a change of the public API and belongs in the changelog. */
const ENTRIES = ['index', 'entry/tensor', 'entry/nn', 'entry/models', 'entry/framepack'];

test.each(ENTRIES)('%s exports exactly these names', async (entry) => {
  const names = Object.keys((await import(`../src/${entry}.ts`)) as object);
  expect(names.toSorted()).toMatchSnapshot();
});
