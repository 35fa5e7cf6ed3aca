"""A program that runs one command inside a tree, in namespaces of its own; started by `sandbox.py`, as root on Linux.

It reads what to do, as JSON, from its standard input: secrets come that way, never as an argument or a file on a disk. All mounts
are its own and go with it, and so does every process that the command has started. What it does is what container runtimes do:

    overlay of the layers, `pivot_root` into it, its own /proc, /dev and read-only /sys, no devices, and only the
    capabilities that docker gives by default, without that of making devices

Source: mount(2), pivot_root(2), capabilities(7), overlayfs in the kernel's documentation; docker's default capabilities.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
NEW_NAMESPACES = 0x00020000 | 0x20000000 | 0x08000000 | 0x04000000
"""CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWIPC and CLONE_NEWUTS."""
PR_SET_PDEATHSIG, PR_CAPBSET_DROP = 1, 24
KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31})
"""chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap, net_bind_service, net_raw, sys_chroot, audit_write,
setfcap."""
CAPABILITIES = 64
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
READ_ONLY = ("bus", "fs", "irq", "sys", "sysrq-trigger")
"""Below /proc: what would change the machine."""
SETUP_FAILED = 255
"""The exit code where the command was not even started."""
MARK = "cogworks-sandbox: "
"""What it says itself begins so."""
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
"""The number of the system call, which the C library has no function for."""

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> NoReturn:
    """Do what standard input says; the exit code is that of the command. With `--probe`, only see what is allowed."""
    is_probe = sys.argv[1:] == ["--probe"]
    job: dict[str, Any] = {} if is_probe else json.load(sys.stdin)
    # Whoever started this may be killed: nothing goes on without it.
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    try:
        _checked(_libc.unshare(NEW_NAMESPACES), "unshare")
        mount("none", "/", "", MS_REC | MS_PRIVATE)
        child = os.fork()
    except OSError as error:
        _fail(error)
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    try:
        _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
        if is_probe:
            mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
            os._exit(0)
        _enter(job)
        code = _run(job)
    except OSError as error:
        _fail(error)
    os._exit(code)


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    """Mount something, as the manual page of the system call tells."""
    words = (source.encode(), os.fsencode(target), kind.encode() or None)
    _checked(_libc.mount(*words, flags, options.encode() or None), f"mounting {target}")


def _enter(job: dict[str, Any]) -> None:
    """Make the root, and make it that of this process."""
    os.chdir(job["folder"])
    Path("merged").mkdir(exist_ok=True)
    lower = ":".join(job["lower"])
    options = (
        f"lowerdir={lower},upperdir=upper,workdir=work,redirect_dir=off,metacopy=off,index=off"
    )
    mount("overlay", "merged", "overlay", MS_NODEV, options)
    os.chdir("merged")
    # Their targets are made before anything is mounted, since a link there might lead out of the tree.
    for name in ("proc", "dev", "sys"):
        if os.path.islink(name):
            os.unlink(name)
        os.makedirs(name, exist_ok=True)
    mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755")
    for name in DEVICES:
        Path("dev", name).touch()
        mount(f"/dev/{name}", f"dev/{name}", "", MS_BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"dev/{name}")
    for name, options in (("shm", "mode=1777"), ("pts", "newinstance,ptmxmode=0666,mode=620")):
        os.mkdir(f"dev/{name}")
        kind = "devpts" if name == "pts" else "tmpfs"
        mount(kind, f"dev/{name}", kind, MS_NOSUID | MS_NOEXEC, options)
    os.symlink("pts/ptmx", "dev/ptmx")
    for name in READ_ONLY:
        if os.path.exists(f"proc/{name}"):
            mount(f"proc/{name}", f"proc/{name}", "", MS_BIND | MS_REC)
            flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
            mount("none", f"proc/{name}", "", flags)
    number = PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(number, b".", b"."), "pivot_root")
    _checked(_libc.umount2(b".", MNT_DETACH), "umount")
    os.chdir("/")


def _run(job: dict[str, Any]) -> int:
    """Run the command, with its secrets in their places."""
    places = [_place(target, base64.b64decode(data)) for target, data in job["secrets"]]
    child = os.fork()
    if not child:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        os.dup2(1, 2)
        os.umask(0o022)
        for capability in range(CAPABILITIES):
            if capability not in KEPT_CAPABILITIES:
                _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        try:
            os.execve("/bin/sh", ["/bin/sh", "-c", job["command"]], job["environment"])
        except OSError as error:
            _fail(error)
    code = SETUP_FAILED
    # This is the first process here, so it is given the children of those that ended.
    while True:
        found, status = os.wait()
        if found == child:
            code = os.waitstatus_to_exitcode(status)
            break
    for place in places:
        _checked(_libc.umount2(os.fsencode(place), MNT_DETACH), f"unmounting {place}")
    return code if code >= 0 else 128 - code


def _place(target: str, data: bytes) -> str:
    """Put a secret over a file at its target; it is in memory only."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if not os.path.exists(target):
        Path(target).touch()
    hidden = "/dev/.secret"
    os.makedirs(hidden, exist_ok=True)
    mount("tmpfs", hidden, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700")
    source = f"{hidden}/value"
    with open(source, "xb", opener=lambda path, flags: os.open(path, flags, 0o400)) as file:
        file.write(data)
    mount(source, target, "", MS_BIND)
    _checked(_libc.umount2(os.fsencode(hidden), MNT_DETACH), f"unmounting {hidden}")
    return target


def _checked(result: int, what: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def _fail(error: OSError) -> NoReturn:
    print(f"{MARK}{error.strerror or error}", file=sys.stderr, flush=True)
    os._exit(SETUP_FAILED)


if __name__ == "__main__":
    main()
