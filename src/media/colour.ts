/** Luma weights of red and blue; green has the rest. ITU-R BT.709-6, item 3.2. */
const RED = 0.2126;
const BLUE = 0.0722;
const GREEN = 1 - RED - BLUE;
/** Steps of an 8-bit limited-range signal: 219 for luma, 224 for chroma. */
const LUMA = 219 / 255;
const BLUE_CHROMA = 224 / 255 / (2 * (1 - BLUE));
const RED_CHROMA = 224 / 255 / (2 * (1 - RED));

/**
 * One frame as planar Y'CbCr 4:2:0, BT.709, limited range. Chroma is the mean of each 2 x 2 block; every
 * sample is rounded once.
 *
 * @param rgb - `[height, width, 3]`.
 * @param width - Even.
 * @param height - Even.
 * @returns Planes Y `[height, width]`, Cb and Cr `[height / 2, width / 2]`, one after the other.
 */
export function rgbToI420(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const numPixels = width * height;
  const planes = new Uint8Array(numPixels + numPixels / 2);
  for (let pixel = 0; pixel < numPixels; pixel++) {
    const at = pixel * 3;
    planes[pixel] = Math.round(16 + LUMA * luma(rgb[at]!, rgb[at + 1]!, rgb[at + 2]!));
  }
  let chroma = numPixels;
  const redOffset = numPixels / 4;
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const red = blockMean(rgb, (y * width + x) * 3, width * 3);
      const green = blockMean(rgb, (y * width + x) * 3 + 1, width * 3);
      const blue = blockMean(rgb, (y * width + x) * 3 + 2, width * 3);
      const brightness = luma(red, green, blue);
      planes[chroma] = Math.round(128 + BLUE_CHROMA * (blue - brightness));
      planes[chroma + redOffset] = Math.round(128 + RED_CHROMA * (red - brightness));
      chroma++;
    }
  }
  return planes;
}

function luma(red: number, green: number, blue: number): number {
  return RED * red + GREEN * green + BLUE * blue;
}

function blockMean(rgb: Uint8Array, at: number, rowStride: number): number {
  const below = at + rowStride;
  return (rgb[at]! + rgb[at + 3]! + rgb[below]! + rgb[below + 3]!) / 4;
}
