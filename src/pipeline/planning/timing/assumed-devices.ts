import type { WorkClass } from '../../../tensor/work/work-meter.ts';
import type { DeviceRates } from './device-rates.ts';

/** A card whose times are asked for without having it. */
export type AssumedDevice =
  | ('rtx3060' | 'rtx3090' | 'rtx4060' | 'rtx4070' | 'rtx4090' | 'rtx5090')
  | ('a100' | 'h100');

interface Peak {
  /** Name and source. */
  readonly name: string;
  /** f32 outside the tensor cores. */
  readonly f32Teraflops: number;
  /** f16 and bf16 on dense tensor cores with sums in f32. */
  readonly halfTeraflops: number;
  readonly memoryGigabytesPerSecond: number;
  readonly pcieGigabytesPerSecond: number;
}

const PCIE_4_X8 = 15.75;
const PCIE_4_X16 = 31.5;
const PCIE_5_X16 = 63;

/**
 * Cards by what NVIDIA states. GeForce 30: "NVIDIA Ampere GA102 GPU Architecture" 2.1, with the RTX 3060 scaled from its
 * data by 3584 cores at 1.777 GHz; GeForce 40: "NVIDIA Ada GPU Architecture" 2.1, with cores and clocks of the product
 * pages; GeForce 50: "NVIDIA RTX Blackwell GPU Architecture" 1.1; A100 80 GB and H100 SXM: their data sheets. PCI
 * Express: 16 or 32 GT/s a lane, 128b/130b.
 */
const PEAKS: Readonly<Record<AssumedDevice, Peak>> = {
  rtx3060: peak('GeForce RTX 3060', [12.7, 25.5], 360, PCIE_4_X16),
  rtx3090: peak('GeForce RTX 3090', [35.6, 71], 936, PCIE_4_X16),
  rtx4060: peak('GeForce RTX 4060', [15.1, 30.2], 272, PCIE_4_X8),
  rtx4070: peak('GeForce RTX 4070', [29.1, 58.3], 504, PCIE_4_X16),
  rtx4090: peak('GeForce RTX 4090', [82.6, 165.2], 1008, PCIE_4_X16),
  rtx5090: peak('GeForce RTX 5090', [104.8, 209.5], 1792, PCIE_5_X16),
  a100: peak('A100 80 GB', [19.5, 312], 2039, PCIE_4_X16),
  h100: peak('H100 SXM', [66.9, 989.4], 3350, PCIE_5_X16),
};

/** All of them. */
export const ASSUMED_DEVICES: readonly AssumedDevice[] = Object.keys(PEAKS) as AssumedDevice[];

const GIGA = 1e9;
const TERA = 1e12;

/** The rates that its maker states for a card. */
export function peakRates(device: AssumedDevice): DeviceRates {
  const { name, f32Teraflops, halfTeraflops, memoryGigabytesPerSecond, pcieGigabytesPerSecond } =
    PEAKS[device];
  const rates = (['product', 'attention', 'convolution'] as const).flatMap(
    (kind): [WorkClass, number][] => [
      [`${kind} f32`, f32Teraflops * TERA],
      [`${kind} f16`, halfTeraflops * TERA],
      [`${kind} bf16`, halfTeraflops * TERA],
    ],
  );
  return {
    ...{ name, source: 'peak', flopsPerSecond: Object.fromEntries(rates) },
    movedBytesPerSecond: memoryGigabytesPerSecond * GIGA,
    uploadBytesPerSecond: pcieGigabytesPerSecond * GIGA,
  };
}

function peak(
  name: string,
  [f32Teraflops, halfTeraflops]: readonly [number, number],
  memoryGigabytesPerSecond: number,
  pcieGigabytesPerSecond: number,
): Peak {
  return { name, f32Teraflops, halfTeraflops, memoryGigabytesPerSecond, pcieGigabytesPerSecond };
}
