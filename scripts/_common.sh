# Sourced by the scripts beside it: where the repository is, and which Python may run it.
# Needs bash 3.2 (what macOS ships) and nothing else.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv

# Quiet, the same everywhere, and not confused by whatever virtual environment the caller has active.
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# Print the real path of the interpreter behind a command, if that is a Python >= 3.11. A pyenv shim answers here
# with an error, or with the path of the version that it stands for.
real_python() {
  "$1" -c 'import os, sys
if sys.version_info < (3, 11): raise SystemExit(1)
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))' 2>/dev/null
}

# Every place where a Python may be, the caller's choice first.
python_candidates() {
  if [ -n "${PYTHON:-}" ]; then
    printf '%s\n' "$PYTHON"
    return
  fi
  printf '%s\n' python3 python python3.14 python3.13 python3.12 python3.11
  local versions=${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions
  ls -d "$versions"/3.*/bin/python 2>/dev/null || true
}

has_venv() { "$1" -c 'import ensurepip, venv' 2>/dev/null; }

# Print the first Python that can make environments, else the first one: setup then says what it lacks.
find_python() {
  local candidate python without_venv=""
  while IFS= read -r candidate; do
    python=$(real_python "$candidate") || continue
    if has_venv "$python"; then
      printf '%s\n' "$python"
      return
    fi
    without_venv=${without_venv:-$python}
  done < <(python_candidates)
  if [ -n "$without_venv" ]; then
    printf '%s\n' "$without_venv"
    return
  fi
  if [ -n "${PYTHON:-}" ]; then
    die "PYTHON=$PYTHON is not a Python 3.11 or newer."
  fi
  die "no Python 3.11 or newer found. Looked for: $(python_candidates | tr '\n' ' ')." \
    "Install one, or name it: PYTHON=/path/to/python3.12 $0"
}
