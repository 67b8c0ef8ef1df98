# fer predict on a CPU, without PyTorch: see docs/deploy.md.
#   docker build --tag fer .
#   docker run --rm --network none --volume "$PWD:/data" fer predict photo.jpg
FROM python:3.11-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE models.yaml ./
COPY fercli fercli
RUN python3 -m venv /opt/fer
# dependency groups need a new pip
RUN /opt/fer/bin/pip install --no-cache-dir --no-compile --upgrade pip
RUN /opt/fer/bin/pip install --no-cache-dir --no-compile --group small
RUN /opt/fer/bin/pip install --no-cache-dir --no-compile --no-deps .
# the usual build of OpenCV needs libraries of a desktop, which a slim image lacks
RUN /opt/fer/bin/pip uninstall --yes opencv-python \
    && /opt/fer/bin/pip install --no-cache-dir --no-compile opencv-python-headless
# scikit-learn and SciPy are for training and for checking face sets; pip is not needed any more
RUN /opt/fer/bin/pip uninstall --yes scikit-learn scipy joblib narwhals threadpoolctl \
    && /opt/fer/bin/pip uninstall --yes setuptools pip
RUN find /opt/fer/lib \( -name __pycache__ -o -name tests \) -type d -prune -exec rm -rf {} +
# checks the install, and writes the bytecode of what a prediction imports, so that each start is quick
RUN PYTHONDONTWRITEBYTECODE= /opt/fer/bin/fer predict --demo

FROM python:3.11-slim
COPY --from=build /opt/fer /opt/fer
RUN useradd --create-home --uid 1000 fer
# predictions send nothing anywhere; ONNX Runtime is told so before anything imports it
ENV PATH=/opt/fer/bin:$PATH ORT_DISABLE_TELEMETRY=1 PYTHONUNBUFFERED=1
USER fer
WORKDIR /data
ENTRYPOINT ["fer"]
CMD ["--help"]
