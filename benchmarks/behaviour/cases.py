"""The commands that make up a record. Paths are those of `inputs`, and of what earlier cases wrote.

Every case records its exit code, standard output and error, and each file that it wrote, changed or removed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`words` follow `fer`, or the name of another `module`. `after` is a case whose files it takes; `stdin` a file."""

    name: str
    words: str
    after: str = ""
    stdin: str = ""
    module: str = "fercli"

    @property
    def command(self) -> str:
        """As it would be typed."""
        return f"{'fer' if self.module == 'fercli' else self.module} {self.words}"


_COMMANDS = ("predict", "train", "eval", "crossval", "export", "models")
_DATA = ("list", "show", "check", "build")
_QUICK = "--recipe quick --device cpu"

#: Run once a record, before all cases: files of the program as it was, which it must take later too.
OLD = (
    f"train --data cartoon --model lenet {_QUICK} --epochs 2 --out old/run -q",
    f"train --data cartoon --model lenet {_QUICK} --epochs 1 --out old/unfinished -q",
    "predict photos -o old/faces.csv -q",
    "predict photos/inner odd -r -o old/faces.jsonl -q",
    "export --model old/run -o old/net.onnx -q",
    f"crossval --data cartoon --model lenet {_QUICK} --epochs 1 --folds 3 -j 1 --out old/crossval -q",
)

CASES = (
    # help and usage
    *(Case(f"help-{name or 'fer'}", f"{name} --help") for name in ("", *_COMMANDS, "data")),
    *(Case(f"help-data-{name}", f"data {name} --help") for name in _DATA),
    Case("version", "--version"),
    Case("wrong-command", "predit photo.jpg"),
    Case("wrong-flag", "predict --demmo"),
    # predict: inputs
    Case("predict-demo", "predict --demo"),
    Case("predict-table", "predict photos"),
    Case("predict-csv", "predict photos -r -o made/faces.csv"),
    Case("predict-odd", "predict odd gone.jpg photos/inner/notes.txt --format csv"),
    Case(
        "predict-archives",
        "predict album.zip album.tar.gz cut.zip 'photos/inner/*.jpg' -o made/archives.jsonl --annotate made/album "
        "--report made/album.html",
    ),
    Case("predict-list", "predict --from-file list.txt --format csv -q"),
    Case("predict-stdin", "predict --from-file - --format jsonl", stdin="list0.txt"),
    Case("predict-cropped", "predict set/val set/train/fear -r --faces-are-cropped --format csv"),
    # predict: settings
    Case("predict-raw", "predict photos/hopper.jpg odd/turned.jpg --raw --no-tta --format jsonl"),
    Case("predict-unsure", "predict photos --min-confidence 0.8 --min-face 40 --max-side 500 --threshold 0.9 --json"),
    Case("predict-preact", "predict photos --model preact-resnet10 --min-confidence 0.6 -o made/preact.json"),
    Case("predict-average", "predict photos/hopper.jpg --model xu-rescnn+preact-resnet18+old/run --format csv"),
    Case("predict-old-onnx", "predict photos/hopper.jpg odd/gray.tif --model old/net.onnx --format csv"),
    # predict: outputs
    Case("predict-parquet", "predict odd album.zip -o made/faces.parquet --min-confidence 0.5"),
    Case(
        "predict-visuals",
        "predict photos odd -o made/all.csv --annotate made/marked --explain made/why --report made/page.html",
    ),
    Case(
        "predict-video",
        "predict clip.mp4 --every frame --smooth 0.5s --annotate made/video -o made/clip.csv --report made/clip.html",
    ),
    Case("predict-video-table", "predict clip.mp4 photos/hopper.jpg --fps 2 --min-confidence 0.5"),
    # predict: resuming
    Case("predict-resume-old", "predict photos -o old/faces.csv --resume"),
    Case("predict-resume-more", "predict photos odd/palette.png -r -o made/faces.csv --resume", after="predict-csv"),
    Case("predict-resume-other", "predict photos -r --raw -o made/faces.csv --resume", after="predict-csv"),
    Case("predict-exists", "predict photos -o made/faces.csv", after="predict-csv"),
    Case("predict-resume-nothing", "predict photos -o made/none.csv --resume"),
    # predict: wrong usage
    Case("predict-nothing", "predict"),
    Case("predict-gone", "predict gone.jpg gone2.jpg"),
    Case("predict-empty-folder", "predict set"),
    Case("predict-wrong-model", "predict photos/hopper.jpg --model xu-recnn"),
    Case("predict-wrong-ending", "predict photos/hopper.jpg -o faces.xlsx"),
    Case("predict-wrong-confidence", "predict photos/hopper.jpg --min-confidence 60"),
    Case("predict-wrong-time", "predict clip.mp4 --every soon"),
    Case("predict-wrong-device", "predict photos/hopper.jpg --device cuda:7"),
    # train
    Case("train-xu", f"train --data cartoon --model xu-rescnn {_QUICK} --epochs 2 --out runs/xu"),
    Case("train-lenet", f"train --data cartoon --model lenet {_QUICK} --epochs 2 --json"),
    Case("eval-last", "eval --model last", after="train-lenet"),
    Case(
        "train-settings",
        "train --data set --model mini-xception --recipe best --epochs 3 --batch-size 8 --lr 0.003 --seed 5 "
        "--drop-leaks --subject-pattern '(p\\d)_' --set mixup=0.2 --set label_smoothing=0.1 --set class_weights=true "
        "--set augment.erase=0.3 --set augment.blur=0.5 --set augment.noise=0.05 --set augment.brightness=0.2 "
        "--set optimizer.name=sgd --set optimizer.momentum=0.9 --set schedule.name=plateau --out runs/settings",
    ),
    Case(
        "train-taught",
        f"train --data fer2013 --root root --labels ferplus-soft --model lenet {_QUICK} --epochs 2 --extra set "
        "--teacher xu-rescnn --out runs/taught",
    ),
    Case("train-config", "train --config old/run/config.yaml --out runs/again -q"),
    Case("train-resume-old", "train --resume --out old/unfinished"),
    Case("train-resume-finished", "train --resume --out old/run"),
    Case("train-resume-nothing", "train --resume --out set"),
    Case("train-exists", "train --data cartoon --out old/run"),
    Case("train-wrong-model", "train --data cartoon --model vgg"),
    Case("train-wrong-data", "train --data fer2014"),
    Case("train-missing-data", "train --data ckplus --root root"),
    Case("train-wrong-setting", "train --data cartoon --set optimiser.lr=1 --set epochs=many --lr -1"),
    # eval
    Case("eval-out", "eval --model old/run --split val --tta --coverage --json --out made/eval"),
    Case("eval-corrupt", "eval blur,rotation --model old/run --corrupt --out made/corrupt"),
    Case("eval-paper", "eval --model xu-rescnn --data fer2013 --root root --labels ferplus --paper --split all"),
    Case("eval-onnx", "eval --model old/net.onnx --data set --shared-classes --json"),
    Case("eval-wrong-corruption", "eval mist --model old/run --corrupt"),
    # crossval
    Case(
        "crossval",
        f"crossval --data cartoon --model lenet --baseline majority --baseline nearest {_QUICK} --epochs 1 --folds 3 "
        "-j 1 --out made/crossval",
    ),
    Case("crossval-resume-old", "crossval --resume --out old/crossval -j 1"),
    Case("crossval-wrong-folds", "crossval --folds 2"),
    # export
    Case("export-onnx", "export --model xu-rescnn -o made/x.onnx --json --with-detector --input-dtype float32"),
    Case("export-int8", "export --model xu-rescnn --format onnx-int8 -d cartoon -o made/int8.onnx --max-drop 100"),
    Case("export-safetensors", "export --model xu-rescnn -o made/x.safetensors --json"),
    Case("export-half", "export --model xu-rescnn --format safetensors-half -d cartoon -o made/half.safetensors"),
    Case("export-wrong-ending", "export --model xu-rescnn -o made/x.tflite"),
    # models and data
    Case("models", "models"),
    Case("models-one", "models li-resnet50"),
    Case("models-json", "models --json"),
    Case("models-wrong", "models resnet"),
    Case("data-list", "data list --root root"),
    Case("data-list-json", "data list --json"),
    Case("data-show-cartoon", "data show cartoon --sheet made/cartoon.png"),
    Case("data-show-set", "data show set --json --subject-pattern '(p\\d)_'"),
    Case("data-show-contempt", "data show fer2013 --root root --labels ferplus --keep-contempt"),
    Case("data-show-mixed", "data show fer2013 --root root --labels ferplus-mixed --json"),
    Case("data-check-cartoon", "data check cartoon --json"),
    Case(
        "data-check-set",
        "data check set --min-class 5 --faces --subject-pattern '(p\\d)_' --csv made/check.csv --sheet made/check.png "
        "--fix made/clean.safetensors",
    ),
    Case("data-build", "data build fergit --root root --output made/fergit.safetensors"),
    Case("data-show-built", "data show made/fergit.safetensors --json", after="data-build"),
    # Python
    *(
        Case(f"api-{name}", name, module="benchmarks.behaviour.api")
        for name in ("predict", "probabilities", "read", "build", "faces")
    ),
)
