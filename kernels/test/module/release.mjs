// Compares the release copy of the kernels with the one that was tested: the same architectures, machine code of the same
// length, all of it compressed, and PTX without a table of lines.
//
//   node kernels/test/module/release.mjs <framepack.fatbin> <release/framepack.fatbin>
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { imagesOf } from './fatbin.mjs';

/** What is wrong with a release copy, both as images. */
export function releaseFaults(tested, release) {
  const names = (images) => images.map(({ name }) => name).sort();
  const faults = [];
  if (`${names(tested)}` !== `${names(release)}`) {
    faults.push(`images expected ${names(tested)}, got ${names(release)}`);
  }
  for (const { name, isCompressed, unpackedBytes } of release) {
    const whole = tested.find((image) => image.name === name)?.unpackedBytes ?? 0;
    if (!isCompressed) faults.push(`${name} is not compressed`);
    // The payload of an uncompressed image is padded to 8 bytes; lines are half of the PTX.
    const isSame =
      name === 'ptx'
        ? unpackedBytes < 0.6 * whole
        : whole >= unpackedBytes && whole - unpackedBytes < 8;
    if (!isSame) faults.push(`${name} unpacks to ${unpackedBytes} bytes of ${whole}`);
  }
  return faults;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = process.argv.slice(2).map((file) => readFileSync(file));
  const [tested, release] = files.map(imagesOf);
  for (const { name, storedBytes, unpackedBytes } of release) {
    console.log(`${name}: ${unpackedBytes} bytes in ${storedBytes}`);
  }
  console.log(`${files[0].length} bytes tested, ${files[1].length} released`);
  for (const fault of releaseFaults(tested, release)) {
    console.error(fault);
    process.exitCode = 1;
  }
}
