/** Boxes that hold nothing but other boxes on the way to the times. */
const CONTAINERS: ReadonlySet<string> = new Set(['moov', 'trak', 'mdia']);
/** Boxes that begin with version, flags, creation and modification time. */
const TIMED: ReadonlySet<string> = new Set(['mvhd', 'tkhd', 'mdhd']);
const HEADER_BYTES = 8;
const VERSION_AND_FLAGS_BYTES = 4;

/**
 * Sets creation and modification times of an MP4 file to 0, in place, so that the same frames make the same bytes at any
 * time of day. FFmpeg writes 0 too, unless asked for a time.
 *
 * Source: ISO/IEC 14496-12, 8.2.2 (`mvhd`), 8.3.2 (`tkhd`), 8.4.2 (`mdhd`).
 */
export function clearTimes(file: Uint8Array): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  clearWithin(view, 0, file.byteLength);
}

function clearWithin(view: DataView, start: number, end: number): void {
  for (let at = start; at + HEADER_BYTES <= end; ) {
    const size = boxSize(view, at, end);
    const type = String.fromCharCode(...[4, 5, 6, 7].map((byte) => view.getUint8(at + byte)));
    const body = at + HEADER_BYTES;
    if (CONTAINERS.has(type)) clearWithin(view, body, at + size);
    if (TIMED.has(type)) {
      const bytesOfTimes = view.getUint8(body) === 1 ? 16 : 8;
      new Uint8Array(
        view.buffer,
        view.byteOffset + body + VERSION_AND_FLAGS_BYTES,
        bytesOfTimes,
      ).fill(0);
    }
    at += size;
  }
}

/** A size of 1 stands for 64 bits behind the type, 0 for the rest of the file. */
function boxSize(view: DataView, at: number, end: number): number {
  const size = view.getUint32(at);
  if (size === 1) return Number(view.getBigUint64(at + HEADER_BYTES));
  return size === 0 ? end - at : size;
}
