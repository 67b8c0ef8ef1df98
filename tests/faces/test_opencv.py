import subprocess
import sys
import textwrap

import pytest

from fercli.core.errors import MachineError
from fercli.faces.opencv import load_opencv


def test_a_missing_library_gives_one_line_with_both_remedies(tmp_path, monkeypatch):
    message = "libGL.so.1: cannot open shared object file: No such file or directory"
    (tmp_path / "cv2.py").write_text(f"raise ImportError({message!r})\n")
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MachineError) as caught:
        load_opencv()
    line = str(caught.value)
    assert "\n" not in line
    assert all(part in line for part in ("libGL.so.1", "apt-get install libgl1", "pip install opencv-python-headless"))


def test_decoding_and_sources_need_no_opencv():
    program = """
        import sys
        sys.modules["cv2"] = None  # importing it now fails
        import numpy as np
        from fercli.core.errors import MachineError
        import fercli.faces.io.sources, fercli.faces.io.decode, fercli.faces.drawing.labels, fercli.faces.crop
        from fercli.faces.mtcnn.detector import Detector
        try:
            Detector()
        except MachineError as error:
            print("refused before torch:", "torch" not in sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "refused before torch: True"
