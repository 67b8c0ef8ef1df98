// Classifies a face crop on the device. The class names, their order and the input size come from the model's file.
// The normalisation, the temperature and the softmax are in its graph.
import * as ort from "./ort/ort.wasm.min.mjs";
import { readGray, resize } from "./pixels.js";

const MODEL = "model.onnx";
const element = (id) => document.getElementById(id);

/** The metadata of an ONNX file: ONNX Runtime for the web does not give them, so they are read from its protobuf. */
export function readMetadata(bytes) {
  const text = new TextDecoder();
  const fields = function* (data) {
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = data[at++];
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    while (at < data.length) {
      const key = varint();
      if ((key & 7) === 0) varint();
      else if ((key & 7) === 2) {
        const length = varint();
        yield [key >> 3, data.subarray(at, at + length)];
        at += length;
      } else throw new Error("not an ONNX file");
    }
  };
  const found = {};
  for (const [field, data] of fields(bytes)) {
    if (field !== 14) continue; // metadata_props of a ModelProto, pairs of a key (1) and a value (2)
    const pair = Object.fromEntries(fields(data));
    found[text.decode(pair[1])] = text.decode(pair[2] ?? new Uint8Array());
  }
  return found;
}

async function load() {
  ort.env.wasm.wasmPaths = new URL("ort/", import.meta.url).href;
  ort.env.wasm.numThreads = 1; // more need headers that a plain server does not send
  const response = await fetch(MODEL);
  if (!response.ok) throw new Error(`${MODEL} is not there: write it with fer export`);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const metadata = readMetadata(bytes);
  if (!metadata.classes || !metadata.fercli) throw new Error(`${MODEL} was not written by fer export`);
  return {
    session: await ort.InferenceSession.create(bytes),
    classes: JSON.parse(metadata.classes),
    side: JSON.parse(metadata.fercli).input.size ?? 48, // an average of several networks names none
    name: metadata.model,
  };
}

/** Calibrated probabilities, in the order of the classes, of gray pixels (0 to 255, side × side). */
async function classify({ session, side }, gray) {
  const type = session.inputMetadata[0].type;
  const values = type === "uint8" ? gray : Float32Array.from(gray);
  const { probabilities } = await session.run({ faces: new ort.Tensor(type, values, [1, 1, side, side]) });
  return [...probabilities.data];
}

function say(message, error = false) {
  element("status").textContent = message;
  element("status").classList.toggle("error", error);
}

/** Draw what the network sees. */
function showFace(gray, side) {
  const canvas = element("face");
  canvas.width = canvas.height = side;
  const pixels = new ImageData(side, side);
  gray.forEach((value, index) => pixels.data.set([value, value, value, 255], 4 * index));
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** One bar a class, the most likely one first. The bars are for the eye: the text beside them says the same. */
function showProbabilities(classes, probabilities) {
  const rows = classes.map((name, index) => ({ name, value: probabilities[index] })).sort((a, b) => b.value - a.value);
  const items = rows.map(({ name, value }, index) => {
    const item = document.createElement("li");
    item.classList.toggle("first", index === 0);
    item.dataset.class = name;
    item.dataset.probability = value;
    item.innerHTML =
      '<span></span><svg aria-hidden="true" viewBox="0 0 100 1" preserveAspectRatio="none"><rect height="1"/></svg><span></span>';
    item.firstChild.textContent = name;
    item.querySelector("rect").setAttribute("width", 100 * value);
    item.lastChild.textContent = `${(100 * value).toFixed(1)} %`;
    return item;
  });
  element("probabilities").replaceChildren(...items);
  return rows[0];
}

async function show(model, file) {
  try {
    say("Working …");
    const { gray, width, height } = await readGray(file);
    const face = resize(gray, width, height, model.side);
    const first = showProbabilities(model.classes, await classify(model, face));
    showFace(face, model.side);
    URL.revokeObjectURL(element("picture").src);
    element("picture").src = URL.createObjectURL(file);
    element("result").hidden = false;
    say(`${file.name}: ${first.name}, ${(100 * first.value).toFixed(1)} %`);
  } catch {
    element("result").hidden = true;
    say(`${file.name} is not a picture that this browser can read.`, true);
  }
}

async function main() {
  let model;
  try {
    model = await load();
  } catch (error) {
    say(`The network could not be loaded: ${error.message}`, true);
    return;
  }
  const drop = element("drop"), input = element("file");
  element("model").textContent = `Network: ${model.name}. Classes: ${model.classes.join(", ")}.`;
  input.disabled = false;
  input.addEventListener("change", () => input.files.length && show(model, input.files[0]));
  // anywhere on the page, so that a picture dropped beside the box does not replace the page
  addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  addEventListener("dragleave", (event) => event.relatedTarget || drop.classList.remove("over"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) show(model, event.dataTransfer.files[0]);
  });
  say("Ready.");
}

main();
