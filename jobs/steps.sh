#!/usr/bin/env bash
# The four steps of a distillation on one machine or on several: encode the corpus, train the
# teacher, let it label, train the student. slurm.sh and kubernetes.yaml start this file once on
# each node; on a single machine it can be started by hand:
#
#   TEXT=text WORK=runs/large bash jobs/steps.sh
#
# NOT run on such a cluster by us: we have neither a GPU nor a scheduler. What was run is all four
# steps on one machine without a GPU, in two processes (GPUS=2 DEVICE=cpu PRECISION=fp32), on a text
# of a hundred pairs; tests/project/test_jobs.py looks at the command lines.
#
# It may be started again at any time, and must be after a failure. A step that has ended leaves
# $WORK/STEP.done and is not done again; a step that was interrupted continues: the training after
# its last whole epoch, encoding and labelling after their last whole part. To begin anew, delete
# $WORK.
set -euo pipefail

: "${TEXT:?is not set: the folder with train.source, train.target, valid.source, ...}"
: "${WORK:?is not set: the folder for all results, on a file system that all nodes share}"
NODES=${NODES:-1}                  # machines
NODE=${NODE:-0}                    # the number of this one, from 0 on
HEAD_NODE=${HEAD_NODE:-localhost}  # the name of machine 0, where the processes meet
PORT=${PORT:-29500}                # a free port there
GPUS=${GPUS:-8}                    # processes on each machine, one for each GPU
JOB=${JOB:-lab}                    # tells jobs on one machine apart
DEVICE=${DEVICE:-cuda}
PRECISION=${PRECISION:-bf16}
PYTHON=${PYTHON:-python}

# The paper's sizes, of LSTMs (PRESET=full); `seqkd-lab plan` says what they take. The learning rate
# is a guess: nobody has tried it at this size.
PRESET=${PRESET:-full}
WORDS=${WORDS:-50000}
TEACHER=${TEACHER:---layers 4 --width 1000}
STUDENT=${STUDENT:---layers 2 --width 500}
RATE=${RATE:-0.001}
BATCH=${BATCH:-64}            # sentences of a micro-batch: as many as fit into a GPU
ACCUMULATE=${ACCUMULATE:-1}   # micro-batches of each process before an update
EPOCHS=${EPOCHS:-13}
METHOD=${METHOD:-mode}        # Seq-KD; interpolated, with BEAM=35, for Seq-Inter
BEAM=${BEAM:-5}
LENGTH_PENALTY=${LENGTH_PENALTY:-1}  # as the preset has it; 0 is the paper's
WORKERS=${WORKERS:-16}        # processes that encode

mkdir -p "$WORK"

# Hand an interrupt on to what is running, and wait for it: torchrun then ends its processes. Left
# behind, it would meet those of the next start.
running=
trap 'if [ -n "$running" ]; then kill -TERM "$running"; wait "$running" || true; fi; exit 143' INT TERM

# --batch-size counts the sentences of an update, which all processes share.
UPDATE=$((BATCH * ACCUMULATE * GPUS * NODES))

# Run a command once: its marker is written by machine 0, when its part has ended without an error.
# In the background, since bash runs a trap only when no command is in front of it.
step() {
  local name=$1
  shift
  [ -e "$WORK/$name.done" ] && return
  "$@" &
  running=$!
  wait "$running"
  running=
  [ "$NODE" -eq 0 ] || return 0
  touch "$WORK/$name.done"
}

# Run a command on machine 0 alone, while the others wait for its marker.
alone() {
  local name=$1
  if [ "$NODE" -eq 0 ]; then
    step "$@"
  fi
  until [ -e "$WORK/$name.done" ]; do sleep 5; done
}

# Run seqkd_lab in every process of all machines. When one of them fails, torchrun starts all of
# them again, up to three times, and each continues from what is kept.
together() {
  local name=$1
  shift
  step "$name" "$PYTHON" -m torch.distributed.run \
    --nnodes "$NODES" --nproc-per-node "$GPUS" --max-restarts 3 \
    --rdzv-backend c10d --rdzv-endpoint "$HEAD_NODE:$PORT" --rdzv-id "$JOB-$name" \
    -m seqkd_lab "$@"
}

alone encode "$PYTHON" -m seqkd_lab corpus encode \
  --text "$TEXT" --vocabulary "$WORDS" --workers "$WORKERS" --out "$WORK/corpus"

together teacher train \
  --corpus "$WORK/corpus" --as-teacher --preset "$PRESET" $TEACHER --epochs "$EPOCHS" \
  --learning-rate "$RATE" --batch-size "$UPDATE" --accumulate "$ACCUMULATE" \
  --device "$DEVICE" --precision "$PRECISION" --out "$WORK/teacher"

together label distil \
  --teacher "$WORK/teacher" --corpus "$WORK/corpus" \
  --method "$METHOD" --beam "$BEAM" --length-penalty "$LENGTH_PENALTY" \
  --device "$DEVICE" --precision "$PRECISION" --out "$WORK/distilled.tsv"

together student train \
  --corpus "$WORK/corpus" --distilled "$WORK/distilled.tsv" --preset "$PRESET" $STUDENT \
  --epochs "$EPOCHS" --learning-rate "$RATE" --batch-size "$UPDATE" --accumulate "$ACCUMULATE" \
  --device "$DEVICE" --precision "$PRECISION" --out "$WORK/student"
