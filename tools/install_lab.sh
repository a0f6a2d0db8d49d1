#!/bin/bash
# Installs the lab for notebooks, step by step, with the Python that is first in PATH: postBuild (Binder) and the
# Dockerfile (a class server) both call it, so that both have the same versions. Each argument is a step:
#   torch     the CPU build of the torch that the lock pins
#   packages  what else the notebooks need, from the locks, each file compared with its sha256; no question about news
#   project   the lab itself, as a wheel: for an image, in which nobody changes the code
#   editable  the lab itself, from this checkout: for Binder, whose home folder the checkout is
set -euo pipefail
cd "$(dirname "$0")/.."

for step in "$@"; do
  case "$step" in
    torch)
      python tools/install_torch.py
      ;;
    packages)
      python -m pip install --no-deps --require-hashes --only-binary :all: --requirement requirements/lab.txt
      jupyter labextension disable "@jupyterlab/apputils-extension:announcements"
      ;;
    project)
      python -m pip install --no-deps --no-build-isolation .
      ;;
    editable)
      python -m pip install --no-deps --no-build-isolation --editable .
      ;;
    *)
      echo "tools/install_lab.sh: '$step' is no step; steps are torch, packages, project and editable" >&2
      exit 2
      ;;
  esac
done
