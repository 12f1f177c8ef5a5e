// What lies in a module of kernels: its PTX, and the machine code of every kernel for every architecture.

const FATBIN_MAGIC = 0xba55ed50;
const PTX = 1;

/** The images of a fatbin, with the fields that native/sim/ptx/fatbin.cc knows too. */
export function imagesOf(file) {
  if (file.readUInt32LE(0) !== FATBIN_MAGIC) throw new Error('not a fatbin');
  const images = [];
  const end = file.readUInt16LE(6) + Number(file.readBigUInt64LE(8));
  for (let at = file.readUInt16LE(6); at < end; ) {
    const start = at + file.readUInt32LE(at + 4);
    const storedBytes = Number(file.readBigUInt64LE(at + 8));
    const isCompressed = file.readUInt32LE(at + 16) > 0;
    images.push({
      name: file.readUInt16LE(at) === PTX ? 'ptx' : `sm_${file.readUInt32LE(at + 28)}`,
      isCompressed,
      storedBytes,
      unpackedBytes: isCompressed ? Number(file.readBigUInt64LE(at + 56)) : storedBytes,
      payload: file.subarray(start, start + storedBytes),
    });
    at = start + storedBytes;
  }
  return images;
}

/** kernel -> the text of its body, of PTX. */
export function ptxBodies(text) {
  const entries = text.matchAll(/\.entry (\w+)\([\s\S]*?\n\{\n([\s\S]*?)\n\}\n/g);
  return new Map([...entries].map(([, kernel, body]) => [kernel, body]));
}

/** kernel -> its machine code, of an ELF image of 64 bits: the sections `.text.<kernel>`. */
export function machineCode(elf) {
  const tableAt = Number(elf.readBigUInt64LE(0x28));
  const [rowBytes, numRows, namesRow] = [0x3a, 0x3c, 0x3e].map((at) => elf.readUInt16LE(at));
  const number = (row, at) => Number(elf.readBigUInt64LE(tableAt + row * rowBytes + at));
  const namesAt = number(namesRow, 24);
  const code = new Map();
  for (let row = 0; row < numRows; row++) {
    const nameAt = namesAt + elf.readUInt32LE(tableAt + row * rowBytes);
    const name = elf.toString('latin1', nameAt, elf.indexOf(0, nameAt));
    const [start, bytes] = [number(row, 24), number(row, 32)];
    if (name.startsWith('.text.')) code.set(name.slice(6), elf.subarray(start, start + bytes));
  }
  return code;
}
