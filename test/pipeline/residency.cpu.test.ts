import { afterEach, describe, expect, it } from 'vitest';
import { Residency, type Resident } from '../../src/pipeline/residency.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { empty, type Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
afterEach(() => device.close());

function network(weightBytes: number): Resident<{ weight: Tensor }> & { loads: number } {
  const resident = {
    loads: 0,
    name: `network of ${weightBytes}`,
    weightBytes,
    load: async () => {
      resident.loads += 1;
      return { weight: empty(device, [weightBytes], 'u8') };
    },
  };
  return resident;
}

async function lendsAgain(
  residency: Residency,
  resident: ReturnType<typeof network>,
): Promise<void> {
  await (await residency.lend(resident, 'stays'))(async () => {});
  expect(resident.loads).toBe(2);
}

describe('Residency', () => {
  it('without a budget loads a network once and keeps it until it is released', async () => {
    device = Device.open('cpu', { threads: 1 });
    await scope(async () => {
      const resident = network(1024);
      const residency = new Residency();
      await residency.lend(resident, 'stays');
      const lend = await scope(() => residency.lend(resident, 'stays'));
      for (let use = 0; use < 3; use++) {
        expect(await lend(async ({ weight }) => weight.isDisposed)).toBe(false);
      }
      expect(resident.loads).toBe(1);
      expect(device.memory().liveTensors).toBe(1);
      expect(residency.keptBytes).toBe(1024);
      await residency.release();
      expect(device.memory().liveTensors).toBe(0);
      await lendsAgain(residency, resident);
      await residency.release();
    });
    expect(device.memory().liveTensors).toBe(0);
  });

  it('frees another variant of a network before it loads the one that is asked for', async () => {
    device = Device.open('cpu', { threads: 1 });
    await scope(async () => {
      const residency = new Residency();
      const [plain, changed] = [network(1024), { ...network(1024), variant: 'changed' }];
      const first = await residency.lend(plain, 'stays');
      const weight = await first(async (lent) => lent.weight);
      await residency.lend(changed, 'stays');
      expect(weight.isDisposed).toBe(true);
      expect(residency.keptBytes).toBe(1024);
      await residency.lend(plain, 'stays');
      expect(plain.loads).toBe(2);
      await residency.release();
    });
    expect(device.memory().liveTensors).toBe(0);
  });

  it('keeps what stays and loads for each use what goes or streams', async () => {
    device = Device.open('cpu', { threads: 1, budgetBytes: 100_000 });
    await scope(async () => {
      const residency = new Residency();
      const [small, large] = [network(20_000), network(50_000)];
      const keep = await residency.lend(small, 'stays');
      const borrow = await residency.lend(large, 'goes');
      await keep(async () => {});
      await borrow(async () => {});
      await borrow(async () => {});
      expect([small.loads, large.loads]).toEqual([1, 2]);
      expect(device.memory().currentBytes).toBeLessThan(30_000);
    });
  });

  it('frees a borrowed network when its use fails', async () => {
    device = Device.open('cpu', { threads: 1, budgetBytes: 1500 });
    const lend = await new Residency().lend(network(1000), 'streams');
    const failure = lend(async () => {
      throw new Error('no');
    });
    await expect(failure).rejects.toThrow('no');
    expect(device.memory().liveTensors).toBe(0);
  });
});

describe('Residency, when loading fails', () => {
  it('throws, keeps nothing, and loads anew the next time', async () => {
    device = Device.open('cpu', { threads: 1 });
    const residency = new Residency();
    const broken = { name: 'x', weightBytes: 1, load: () => Promise.reject(new Error('broken')) };
    await expect(residency.lend(broken, 'stays')).rejects.toThrow('broken');
    const works = { ...broken, load: async () => 7 };
    expect(await (await residency.lend(works, 'stays'))(async (network) => network)).toBe(7);
  });
});
