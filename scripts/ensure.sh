# shellcheck shell=bash
# Sourced by the scripts beside it: installs what a fresh Debian machine with Rust lacks.

# ensure_programs PROGRAM=PACKAGE[,PACKAGE]... installs the packages of the programs that are missing.
ensure_programs() {
    local pair more missing=() packages=() as_root=()
    for pair in "$@"; do
        if ! command -v "${pair%%=*}" >/dev/null; then
            missing+=("${pair%%=*}")
            # Packages are separated by commas; each is a word of its own.
            IFS=, read -r -a more <<<"${pair#*=}"
            packages+=("${more[@]}")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
    fi
    if ! command -v apt-get >/dev/null || ! command -v "${as_root[0]:-true}" >/dev/null; then
        echo "error: missing: ${missing[*]}" >&2
        echo "hint: install them (on Debian: apt-get install ${packages[*]}), then run this again" >&2
        return 3
    fi
    echo "installing ${packages[*]}" >&2
    "${as_root[@]}" apt-get -qq update >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --yes --no-install-recommends "${packages[@]}" >&2
}

# Debian has venv in a package of its own, which brings no program along.
ensure_venv() {
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        ensure_programs python3-venv=python3-venv
    fi
}

# Cargo itself is asked for, not installed: which one is the user's choice.
ensure_cargo() {
    if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    if ! command -v cargo >/dev/null; then
        echo "error: there is no cargo" >&2
        echo "hint: install Rust 1.95 or later (https://rustup.rs), then run this again" >&2
        return 3
    fi
}

# ensure_components COMPONENT... adds the parts of the toolchain that are missing.
ensure_components() {
    local component missing=()
    for component in "$@"; do
        case $component in
            rustfmt) cargo fmt --version ;;
            *) cargo "$component" --version ;;
        esac >/dev/null 2>&1 || missing+=("$component")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v rustup >/dev/null; then
        echo "error: missing: ${missing[*]}" >&2
        echo "hint: install these parts of your Rust toolchain, then run this again" >&2
        return 3
    fi
    rustup --quiet component add "${missing[@]}" >&2
}
