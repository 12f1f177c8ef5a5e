/**
 * Decoding and encoding in overlapping tiles, exactly as diffusers' `AutoencoderKLHunyuanVideo` 0.33 does it
 * (framewise tiling always, spatial tiling on request), because tiles change the picture: norms see one tile.
 */
import { concat, contiguous } from '../../ops/copy.ts';
import { lerp } from '../../ops/elementwise.ts';
import { scope } from '../../tensor/scope.ts';
import { fromArray, type Tensor } from '../../tensor/tensor.ts';
import { SPATIAL_COMPRESSION, TEMPORAL_COMPRESSION } from './config.ts';

/** Tile sizes and strides in pixels and frames. */
export interface VaeTiling {
  /** Edge and stride of a spatial tile in pixels; null decodes whole pictures. */
  readonly spatial: { readonly tile: number; readonly stride: number } | null;
  /** Frames and stride of a temporal tile. */
  readonly temporal: { readonly tile: number; readonly stride: number };
}

/** The reference's defaults with plenty of memory: temporal tiles only. */
export const TEMPORAL_TILING: VaeTiling = { spatial: null, temporal: { tile: 16, stride: 12 } };
/** The reference's defaults with little memory. */
export const FULL_TILING: VaeTiling = {
  spatial: { tile: 256, stride: 192 },
  temporal: { tile: 16, stride: 12 },
};

/** Maps one tile `[1, T, H, W, C]` through the network. */
export type TileFunction = (tile: Tensor) => Promise<Tensor>;

// Extents along one axis, in input and in output elements.
interface AxisTiling {
  readonly tile: number;
  readonly stride: number;
  readonly outStride: number;
  readonly blend: number;
}

const TIME = 1;
const HEIGHT = 2;
const WIDTH = 3;

/**
 * `[1, t, h, w, C]` latents -> `[1, 4 t - 3, 8 h, 8 w, 3]`.
 *
 * A temporal tile has one latent more than its stride asks, as causal context; the frame it costs is dropped, and the
 * first frames of a tile are blended with the last of the one before.
 */
export async function decodeTiled(
  latents: Tensor,
  tiling: VaeTiling,
  decode: TileFunction,
): Promise<Tensor> {
  const spatial = decodeAxis(tiling.spatial);
  const decodePicture = (clip: Tensor): Promise<Tensor> => tileSpace(clip, spatial, decode);
  const numLatents = latents.shape[TIME]!;
  const { tile, stride } = tiling.temporal;
  const tileLatents = tile / TEMPORAL_COMPRESSION;
  if (numLatents <= tileLatents) return decodePicture(latents);
  const temporal: AxisTiling = {
    tile: tileLatents + 1,
    stride: stride / TEMPORAL_COMPRESSION,
    outStride: stride,
    blend: tile - stride,
  };
  const numFrames = (numLatents - 1) * TEMPORAL_COMPRESSION + 1;
  return tileTime(latents, { ...temporal, outExtent: numFrames }, decodePicture);
}

/** `[1, T, H, W, 3]` pixels -> moments `[1, (T - 1) / 4 + 1, H / 8, W / 8, 2 C]`, tiled likewise. */
export async function encodeTiled(
  pixels: Tensor,
  tiling: VaeTiling,
  encode: TileFunction,
): Promise<Tensor> {
  const spatial = encodeAxis(tiling.spatial);
  const encodePicture = (clip: Tensor): Promise<Tensor> => tileSpace(clip, spatial, encode);
  const numFrames = pixels.shape[TIME]!;
  const { tile, stride } = tiling.temporal;
  if (numFrames <= tile) return encodePicture(pixels);
  const temporal: AxisTiling = {
    tile: tile + 1,
    stride,
    outStride: stride / TEMPORAL_COMPRESSION,
    blend: (tile - stride) / TEMPORAL_COMPRESSION,
  };
  const outExtent = Math.floor((numFrames - 1) / TEMPORAL_COMPRESSION) + 1;
  return tileTime(pixels, { ...temporal, outExtent }, encodePicture);
}

function decodeAxis(spatial: VaeTiling['spatial']): AxisTiling | null {
  if (spatial === null) return null;
  return {
    tile: spatial.tile / SPATIAL_COMPRESSION,
    stride: spatial.stride / SPATIAL_COMPRESSION,
    outStride: spatial.stride,
    blend: spatial.tile - spatial.stride,
  };
}

function encodeAxis(spatial: VaeTiling['spatial']): AxisTiling | null {
  if (spatial === null) return null;
  return {
    tile: spatial.tile,
    stride: spatial.stride,
    outStride: spatial.stride / SPATIAL_COMPRESSION,
    blend: (spatial.tile - spatial.stride) / SPATIAL_COMPRESSION,
  };
}

async function tileTime(
  clip: Tensor,
  tiling: AxisTiling & { outExtent: number },
  run: TileFunction,
): Promise<Tensor> {
  return scope(async () => {
    const kept: Tensor[] = [];
    let previous: Tensor | null = null;
    for (const start of starts(clip.shape[TIME]!, tiling.stride)) {
      const tile = clip.slice(TIME, start, Math.min(start + tiling.tile, clip.shape[TIME]!));
      // A last tile that holds only its context would be dropped whole.
      if (start > 0 && tile.shape[TIME] === 1) continue;
      const current: Tensor = await scope(async () => {
        const result = await run(contiguous(tile));
        if (previous === null) return result;
        return blend(previous, result.slice(TIME, 1), { axis: TIME, extent: tiling.blend });
      });
      const keep = tiling.outStride + (previous === null ? 1 : 0);
      kept.push(head(current, TIME, keep));
      previous = current;
    }
    return contiguous(head(concat(kept, TIME), TIME, tiling.outExtent));
  });
}

async function tileSpace(
  clip: Tensor,
  tiling: AxisTiling | null,
  run: TileFunction,
): Promise<Tensor> {
  const [, , height, width] = clip.shape as [number, number, number, number];
  if (tiling === null || (height <= tiling.tile && width <= tiling.tile)) return run(clip);
  return scope(async () => {
    const rows: Tensor[] = [];
    let above: Tensor[] = [];
    for (const top of starts(height, tiling.stride)) {
      const row: Tensor[] = [];
      for (const [column, left] of starts(width, tiling.stride).entries()) {
        const tile = head(clip.slice(HEIGHT, top), HEIGHT, tiling.tile);
        const corner = head(tile.slice(WIDTH, left), WIDTH, tiling.tile);
        const neighbours = { above: above[column], left: row.at(-1) };
        row.push(
          await scope(async () => blendCorner(await run(contiguous(corner)), neighbours, tiling)),
        );
      }
      const cropped = row.map((tile) =>
        head(head(tile, HEIGHT, tiling.outStride), WIDTH, tiling.outStride),
      );
      rows.push(concat(cropped, WIDTH));
      above = row;
    }
    return concat(rows, HEIGHT);
  });
}

// Vertical before horizontal; the neighbours are already blended and not cropped.
function blendCorner(
  tile: Tensor,
  neighbours: { above: Tensor | undefined; left: Tensor | undefined },
  tiling: AxisTiling,
): Tensor {
  const { above, left } = neighbours;
  const extent = tiling.blend;
  const vertical = above ? blend(above, tile, { axis: HEIGHT, extent }) : tile;
  return left ? blend(left, vertical, { axis: WIDTH, extent }) : vertical;
}

/** First elements of `after` cross-faded with the last of `before`: element x takes the share x / extent of its own. */
function blend(before: Tensor, after: Tensor, place: { axis: number; extent: number }): Tensor {
  const { axis } = place;
  const extent = Math.min(before.shape[axis]!, after.shape[axis]!, place.extent);
  const shares = Float32Array.from({ length: extent }, (_, x) => x / extent);
  const shape = before.shape.map((_, index) => (index === axis ? extent : 1));
  const share = fromArray(after.device, shares, shape, 'f32');
  const overlap = lerp(before.slice(axis, -extent), after.slice(axis, 0, extent), share);
  return concat([overlap, after.slice(axis, extent)], axis);
}

function starts(extent: number, stride: number): number[] {
  return Array.from({ length: Math.ceil(extent / stride) }, (_, index) => index * stride);
}

function head(x: Tensor, axis: number, extent: number): Tensor {
  return x.slice(axis, 0, Math.min(extent, x.shape[axis]!));
}
