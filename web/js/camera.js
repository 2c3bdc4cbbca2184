// Pictures for the reader of QR codes: grey pixels, of the camera or of a file.

const SIDE_MAX = 720;
let canvas;

export async function start(video) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1280 } }, audio: false });
  video.srcObject = stream;
  await video.play();
}

export function stop(video) {
  video.srcObject?.getTracks().forEach((track) => track.stop());
  video.srcObject = null;
}

// What the camera sees now: [width, height, pixels]; null before its first picture.
export function frame(video) {
  return video.videoWidth ? grey(video, video.videoWidth, video.videoHeight) : null;
}

export async function picture(file) {
  const bitmap = await createImageBitmap(file);
  return grey(bitmap, bitmap.width, bitmap.height);
}

function grey(source, width, height) {
  const scale = Math.min(1, SIDE_MAX / Math.max(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  canvas ??= document.createElement('canvas');
  [canvas.width, canvas.height] = [w, h];
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0, w, h);
  const { data } = context.getImageData(0, 0, w, h);
  const pixels = new Uint8Array(w * h);
  for (let at = 0; at < pixels.length; at += 1) {
    pixels[at] = (data[4 * at] * 77 + data[4 * at + 1] * 151 + data[4 * at + 2] * 28) >> 8;
  }
  return [w, h, pixels];
}
