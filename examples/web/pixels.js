// A picture as the gray pixels that the network takes, with the roundings of Pillow, which `fer` uses.

/** A picture file as gray pixels: upright by its EXIF orientation, transparent areas on white. */
export async function readGray(file) {
  // without colour management, as `fer` reads pictures
  const picture = await createImageBitmap(file, { colorSpaceConversion: "none" });
  const { width, height } = picture;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0);
  picture.close();
  const { data } = context.getImageData(0, 0, width, height);
  const gray = new Uint8Array(width * height);
  for (let index = 0; index < gray.length; index++) {
    // ITU-R 601, in the whole numbers of Pillow
    gray[index] = (data[4 * index] * 19595 + data[4 * index + 1] * 38470 + data[4 * index + 2] * 7471 + 32768) >> 16;
  }
  return { gray, width, height };
}

/**
 * Gray pixels squeezed to side × side: shrinking averages boxes, enlarging is linear. Rows come first. For some pictures
 * that are not square Pillow begins with columns, so single pixels may differ by one.
 */
export function resize(gray, width, height, side) {
  const box = Math.min(width, height) > side;
  const rows = resample(gray, width, height, 1, width, side, box); // [height, side]
  return resample(rows, height, side, side, 1, side, box, true);
}

/**
 * Resample `length` pixels, `step` apart, to `side`, in each of `lines` lines, `stride` apart. The result has `side`
 * columns, or with `down` `side` rows.
 */
function resample(source, length, lines, step, stride, side, box, down = false) {
  const scale = length / side, stretch = Math.max(scale, 1), support = (box ? 0.5 : 1) * stretch;
  const filter = box ? (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) : (x) => Math.max(0, 1 - Math.abs(x));
  const result = new Uint8Array(lines * side);
  for (let to = 0; to < side; to++) {
    const middle = (to + 0.5) * scale;
    const start = Math.max(0, Math.trunc(middle - support + 0.5));
    const end = Math.min(length, Math.trunc(middle + support + 0.5));
    let weights = [];
    for (let from = start; from < end; from++) weights.push(filter((from - middle + 0.5) * (1 / stretch)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // whole numbers of 22 bits, as in Pillow, so that halves round the same way
    weights = weights.map((weight) => Math.floor((weight / total) * 4194304 + 0.5));
    for (let line = 0; line < lines; line++) {
      let sum = 2097152;
      for (let index = 0; index < weights.length; index++) {
        sum += weights[index] * source[line * stride + (start + index) * step];
      }
      result[down ? to * lines + line : line * side + to] = Math.min(255, Math.floor(sum / 4194304));
    }
  }
  return result;
}
