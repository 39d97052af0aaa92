#!/bin/sh
# Makes the environments that a command needs, or the lock files anew:
#   setup.sh [runtime] [dbt] [tests] [audit] [bench] [lock]
#
# Wants nothing but a Python from 3.11 to 3.13, and for the tests the servers of PostgreSQL and
# Redis and a Chromium, which .ci/install-debian installs where it may. uv comes from PyPI, and every
# package is checked against the hashes in the lock files. What has been installed from an unchanged
# lock file is left alone, so that this ends at once.
set -eu
cd "$(dirname "$0")/.."
PATH_TO_UV=.venv-uv/bin/uv
UV_VERSION=0.13.8

say() { printf '%s\n' "$*" >&2; }

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

# The first Python that fits and can make environments. PYTHON names another one.
find_python() {
    without_venv=
    for candidate in ${PYTHON:-python3.12 python3.11 python3.13 python3 python}; do
        command -v "$candidate" >/dev/null 2>&1 && fits "$candidate" || continue
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
        without_venv=$candidate
    done
    if [ -n "$without_venv" ]; then
        say "$without_venv cannot make virtual environments: its venv package is missing."
        say "On Debian and Ubuntu: sudo apt-get install $("$without_venv" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')"
    else
        say "This needs a Python from 3.11 to 3.13, and none of these is one: ${PYTHON:-python3.12 python3.11 python3.13 python3 python}."
        say "Install one (Debian 12: sudo apt-get install python3 python3-venv; macOS: brew install python@3.12;"
        say "anywhere: https://www.python.org/downloads), or name yours: make setup PYTHON=/path/to/python3.12"
    fi
    exit 1
}

# An environment whose Python still runs, else a new one.
environment() {
    if [ -e "$1" ] && ! fits "$1/bin/python"; then
        say "The Python of $1 is gone or does not fit; making $1 anew"
        rm -rf "$1"
    fi
    if [ ! -e "$1" ]; then
        python=$(find_python) || exit 1
        "$python" -m venv $2 "$1"
    fi
}

# What pip was told, by its variables or else by its files; nothing when it was not.
pip_says() {
    .venv-uv/bin/python -m pip config get ":env:.$1" 2>/dev/null ||
        .venv-uv/bin/python -m pip config get "global.$1" 2>/dev/null || true
}

# uv reads neither pip.conf nor PIP_*: a company's index or certificate must not be lost.
inherit_from_pip() {
    export UV_PYTHON_DOWNLOADS=never
    if [ -z "${UV_INDEX_URL:-}${UV_DEFAULT_INDEX:-}" ]; then
        index=$(pip_says index-url)
        [ -z "$index" ] || export UV_INDEX_URL="$index"
    fi
    if [ -z "${SSL_CERT_FILE:-}" ]; then
        certificate=$(pip_says cert)
        [ -z "$certificate" ] || export SSL_CERT_FILE="$certificate"
    fi
}

get_uv() {
    [ -x "$PATH_TO_UV" ] && [ "$(cat .venv-uv/.installed 2>/dev/null)" = "$UV_VERSION" ] && return
    environment .venv-uv ""
    say "Installing uv $UV_VERSION into .venv-uv"
    .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" || {
        say "pip could not install uv: see its message above. It follows PIP_INDEX_URL, pip.conf and the proxy variables."
        exit 1
    }
    printf '%s' "$UV_VERSION" > .venv-uv/.installed
}

seconds() { date +%s; }

# install ENVIRONMENT NAME WHAT LOCK...: make the environment hold what the locks say, no more.
install() {
    home=$1 name=$2 what=$3
    shift 3
    stamp=$home/.installed-$name
    wanted=$(cksum "$@")
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x "$home/bin/python" ] && return
    get_uv
    inherit_from_pip
    environment "$home" --without-pip
    rm -f "$home"/.installed-*
    say "Installing $what into $home"
    begun=$(seconds)
    log=$home/install.log
    "$PATH_TO_UV" pip sync --python "$home/bin/python" --require-hashes --compile-bytecode \
        --no-progress "$@" > "$log" 2>&1 &
    worker=$!
    trap 'kill $worker 2>/dev/null; say; exit 130' INT TERM
    while kill -0 $worker 2>/dev/null; do
        [ ! -t 2 ] || printf '\r  %s s' $(($(seconds) - begun)) >&2
        sleep 1
    done
    trap - INT TERM
    [ ! -t 2 ] || printf '\r' >&2
    if ! wait $worker; then
        tail -n 15 "$log" >&2
        say "The packages for $home could not be installed; all that uv said stands in $log."
        exit 1
    fi
    say "  done in $(($(seconds) - begun)) s"
    printf '%s' "$wanted" > "$stamp"
}

for part in "$@"; do
    case $part in
        runtime)
            # The environment of the tests holds the runtime too.
            [ "$(cat .venv/.installed-tests 2>/dev/null)" = "$(cksum requirements.txt tests/requirements.txt 2>/dev/null)" ] ||
                install .venv runtime "Airflow and the pipeline" requirements.txt ;;
        tests)
            install .venv tests "Airflow, the pipeline and what tests need" requirements.txt tests/requirements.txt
            install .venv-emulator emulator "the emulator of Snowflake" tests/emulator/requirements.txt
            # Linters and most tests do without: those that do not, fail and say so.
            sh .ci/install-debian || say "Going on without it." ;;
        audit) install .venv-audit audit "the audit of dependencies" tests/audit/requirements.txt ;;
        dbt) install .venv-dbt dbt "dbt" dbt/requirements.txt ;;
        bench) install .venv-bench bench "dlt, for make bench" benchmarks/requirements.txt ;;
        lock)
            get_uv
            inherit_from_pip
            # In this order: the tests' packages are held to the runtime's versions.
            for lock in requirements dbt/requirements tests/requirements tests/emulator/requirements \
                tests/audit/requirements benchmarks/requirements; do
                say "Compiling $lock.in"
                "$PATH_TO_UV" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
                    --no-header "$lock.in" -o "$lock.txt"
            done ;;
        *) say "setup.sh knows runtime, tests, dbt, audit, bench and lock, not $part"; exit 2 ;;
    esac
done
