# The image of a class server (CLASS.md): JupyterLab, the lab and its lessons, for JupyterHub or for one person alone.
#
#   docker build --tag seqkd-lab .          (or: buildah build --tag seqkd-lab .)
#   docker run --rm --publish 127.0.0.1:8888:8888 seqkd-lab
#
# It needs a network while it is built and none while it runs. All packages come from locks, with their sha256:
# requirements/ as for Binder (tools/install_lab.sh), and class_image/hub.txt. The base is pinned by its tag; pin its
# digest as well where you build for longer than a term (docker images --digests shows it). Any base with Python 3.10 to
# 3.14 as python3, with venv, will do: --build-arg BASE=...
# A package index of your own: docker build --secret id=pip,src=pip.conf; no layer keeps that file.
ARG BASE=docker.io/library/python:3.12.12-slim-bookworm
FROM ${BASE}

# 1000 and 100 are what Zero to JupyterHub takes for the owner of a learner's volume, and this home is where it mounts it.
RUN useradd --no-log-init --create-home --uid 1000 --gid 100 --shell /bin/bash jovyan
ENV PATH=/opt/venv/bin:$PATH LANG=C.UTF-8 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# The largest and the rarest to change come first: a new version of the lab is a small layer on the others.
WORKDIR /opt/build
COPY requirements requirements
COPY tools/install_lab.sh tools/install_torch.py tools/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf python3 -m venv /opt/venv && bash tools/install_lab.sh torch
RUN --mount=type=secret,id=pip,target=/etc/pip.conf bash tools/install_lab.sh packages

# jupyterhub-singleuser must be of the hub's own major version, so it has a lock of its own, apart from the lab's:
# `python tools/lock_hub.py VERSION` writes it anew for another hub.
COPY class_image/hub.txt class_image/hub.txt
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
  python -m pip install --no-deps --require-hashes --only-binary :all: --requirement class_image/hub.txt

# The project is built in a copy that goes with the step: its sources are no part of the image, its wheel holds the lessons.
RUN --mount=type=bind,target=/source cp -r /source /tmp/source && bash /tmp/source/tools/install_lab.sh project \
  && rm -rf /tmp/source
COPY --chmod=755 class_image/start.sh /usr/local/bin/start.sh

# A store of trained models that learners only read. Filled here: --build-arg FILL_STORE="seqkd-lab tour"; or left
# empty and mounted when a server starts.
ARG FILL_STORE=""
RUN mkdir -p /srv/seqkd_lab/store && cd /tmp && if [ -n "$FILL_STORE" ]; then \
  SEQKD_LAB_STORE=/srv/seqkd_lab/store $FILL_STORE && rm -rf /tmp/runs; fi

USER jovyan
WORKDIR /home/jovyan
EXPOSE 8888
ENTRYPOINT ["/usr/local/bin/start.sh"]
CMD ["jupyterhub-singleuser"]
