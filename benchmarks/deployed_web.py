"""The page in examples/web in a real browser, beside fer's own engine: its line in the table of docs/deploy.md.

Needs Chromium and Playwright (`pip install playwright`), a folder that `python -m benchmarks.deployed make` wrote,
and the files of onnxruntime-web in examples/web/ort. Each face is given to the page as a file, and the probabilities
are read from its bars. `--pixels` compares the gray pixels of 80 pictures made of the faces with those of
examples/onnx_python.py. `--screenshots` writes the page with a picture: light and dark, wide and narrow.

usage: python -m benchmarks.deployed_web FOLDER [--file model.onnx] [--chromium /usr/bin/chromium]
       [--pixels] [--screenshots DIR --picture PICTURE]
"""

import argparse
import runpy
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.deployed import EXAMPLE, row

WEB = EXAMPLE.parent / "web"


class Server(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def serve(folder: Path) -> ThreadingHTTPServer:
    """A server of a folder on this machine, in a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def classify(page: Page, picture: Path) -> dict[str, float]:
    """What the page shows for a picture: the probability of each class."""
    page.set_input_files("#file", picture)
    page.wait_for_function(
        "name => document.getElementById('status').textContent.startsWith(name + ':')", arg=picture.name
    )
    items = "[...document.querySelectorAll('li')].map(item => [item.dataset.class, Number(item.dataset.probability)])"
    found: dict[str, float] = dict(page.evaluate(items))
    return found


def make_pictures(faces: list[Path], folder: Path, square: bool) -> list[Path]:
    """80 pictures of 20 to 400 pixels made of these: each fourth gray, coloured, transparent, or a turned JPEG."""
    random = np.random.default_rng(0)
    pictures = []
    for number in range(80):
        width, height = (int(side) for side in random.integers(20, 401, 2))
        size = (width, width if square else height)
        gray, other = (Image.open(faces[(number + shift) % len(faces)]).resize(size) for shift in (0, 7))
        colour, exif = Image.merge("RGB", [gray, other, gray]), Image.Exif()
        exif[0x0112] = number // 4 % 8 + 1
        if number % 4 == 3:
            pictures.append(folder / f"{number}.jpg")
            colour.save(pictures[-1], quality=92, exif=exif)
            continue
        if number % 4 == 2:
            colour.putalpha(other)
        pictures.append(folder / f"{number}.png")
        (gray if number % 4 == 0 else colour).save(pictures[-1])
    return pictures


def compare_pixels(page: Page, faces: list[Path]) -> None:
    """Print how far the gray pixels that the page gives to the network are from the example's."""
    read = runpy.run_path(str(EXAMPLE))["read_face"]
    code = "[...document.getElementById('face').getContext('2d').getImageData(0, 0, 48, 48).data]"
    for square in (True, False):
        found = []
        with TemporaryDirectory() as folder:
            for picture in make_pictures(faces, Path(folder), square):
                classify(page, picture)
                seen = np.array(page.evaluate(code)).reshape(48, 48, 4)[..., 0]
                found.append(np.abs(seen - read(picture).astype(int)).max())
        kind = "square" if square else "other"
        print(f"{kind} pictures: {np.count_nonzero(found)} of {len(found)} differ, by {max(found)} at most")


def take_screenshots(page: Page, picture: Path, folder: Path) -> None:
    """The page with a picture, in both colour schemes and two widths."""
    folder.mkdir(parents=True, exist_ok=True)
    classify(page, picture)
    for scheme in ("light", "dark"):
        for name, width in (("wide", 1100), ("narrow", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 760})
            page.screenshot(path=folder / f"{scheme}-{name}.png", full_page=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--file", default="model.onnx")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--pixels", action="store_true")
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        site = Path(folder) / "site"
        shutil.copytree(WEB, site, ignore=shutil.ignore_patterns("*.onnx*"))
        shutil.copy(options.folder / options.file, site / "model.onnx")
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        page = browser.new_page()
        errors: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        address = f"http://127.0.0.1:{serve(site).server_port}/"
        page.goto(address + "index.html")
        page.wait_for_selector("#file:enabled")
        pictures = sorted((options.folder / "faces").glob("*.png"))
        found = [classify(page, picture) for picture in pictures]
        classes = page.evaluate(
            "import('./app.js').then(m => fetch('model.onnx').then(r => r.arrayBuffer())"
            ".then(b => JSON.parse(m.readMetadata(new Uint8Array(b)).classes)))"
        )
        probabilities = np.array([[values[name] for name in classes] for values in found])
        version = page.evaluate("import('./ort/ort.wasm.min.mjs').then(ort => ort.env.versions.web)")
        runtime = f"onnxruntime-web {version} in Chromium {browser.version}"
        print(row(options.folder, runtime, options.file, probabilities))
        outside = [url for url in asked if not url.startswith((address, "blob:"))]
        print("errors:", errors, "asked of others:", outside)
        if options.pixels:
            compare_pixels(page, pictures)
        if options.screenshots:
            take_screenshots(page, options.picture or pictures[0], options.screenshots)
        browser.close()


if __name__ == "__main__":
    main()
