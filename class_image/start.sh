#!/bin/bash
# The image's entry point: puts the lessons into the home folder, then runs the command that it was given.
# At every start, since a hub mounts each learner's own volume over the home folder. What a learner has changed is kept.
set -u

if [ $# -eq 0 ] || [ -z "${HOME:-}" ]; then
  echo "start.sh: name the command to run (jupyterhub-singleuser for a hub), with HOME set" >&2
  exit 2
fi

STORE=/srv/seqkd_lab/store  # filled when the image was built, or a volume; models are looked up there and never written
if [ -z "${SEQKD_LAB_SHARED:-}" ] && [ -d "$STORE/models" ]; then
  export SEQKD_LAB_SHARED="$STORE"
fi

if ! seqkd-lab lab "$HOME/seqkd_lab_lessons" --copy-only; then
  echo "start.sh: the lessons could not be copied (see above); the server starts without them" >&2
fi

if [ "${1:-}" = jupyterhub-singleuser ] && [ -z "${JUPYTERHUB_API_TOKEN:-}" ]; then  # no hub: a server for one person
  shift
  set -- jupyter lab --ip=0.0.0.0 --no-browser "$@"
fi
if ! command -v -- "$1" >/dev/null; then
  echo "start.sh: '$1' is no command of this image; the default is jupyterhub-singleuser" >&2
  exit 127
fi
exec "$@"
