// Pictures for the reader of QR codes: grey pixels, of the camera or of a file.

// What the camera sees is read many times a second. A picture is read once, and a code may be a small part of it.
const SIDE_OF_FILM = 720;
const SIDES_OF_PICTURE = [3000, 1500, 750];
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
  return video.videoWidth ? grey(video, video.videoWidth, video.videoHeight, SIDE_OF_FILM) : null;
}

// A file as such pictures, the finest first: what is too fine is blurred by the next.
export async function picture(file) {
  const bitmap = await createImageBitmap(file);
  return SIDES_OF_PICTURE.map((side) => grey(bitmap, bitmap.width, bitmap.height, side));
}

function grey(source, width, height, side) {
  const scale = Math.min(1, side / Math.max(width, height));
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
