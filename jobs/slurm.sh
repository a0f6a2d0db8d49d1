#!/usr/bin/env bash
# A distillation on Slurm: one node with 8 GPUs.
#
#   sbatch --export=ALL,TEXT=/data/text,WORK=/data/large jobs/slurm.sh
#   sbatch --nodes=4 --export=ALL,TEXT=/data/text,WORK=/data/large jobs/slurm.sh     # four such nodes
#
# Submit it from the folder of the checkout, in an environment that has the lab and a CUDA build of
# torch. TEXT and WORK lie on a file system that all nodes share.
#
# NOT run on a Slurm cluster by us: read it before you submit it. Names of partitions and accounts
# differ everywhere and are not given here.
#
# It goes on by itself when Slurm stops it for somebody else or a node fails (--requeue), and when its
# time is nearly over (--signal and the trap below): every step continues where it was (steps.sh).
# After an error of its own it ends; submit it again with the same line when the cause is gone.
#SBATCH --job-name=seqkd
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=32
#SBATCH --mem=256G
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=seqkd-%j.log
set -euo pipefail

export NODES=$SLURM_JOB_NUM_NODES
HEAD_NODE=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)  # head would close the pipe early
export HEAD_NODE
export JOB=$SLURM_JOB_ID
export PORT=$((20000 + SLURM_JOB_ID % 10000))
export GPUS=${GPUS:-8}

trap 'scontrol requeue "$SLURM_JOB_ID"' USR1

# One task on each node; a node that fails ends all of them. In the background, since bash runs a
# trap only when no command is in front of it.
# shellcheck disable=SC2016  # SLURM_NODEID is the task's own
srun --kill-on-bad-exit=1 bash -c 'NODE=$SLURM_NODEID bash jobs/steps.sh' &
wait "$!"
