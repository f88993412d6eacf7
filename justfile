# What there is to do here: `just` lists it. CI runs the same recipes (.ci/run).
# just comes from anywhere: `cargo install just`, `pip install rust-just`, a distribution's package.

set shell := ["bash", "-euo", "pipefail", "-c"]

target := env("CARGO_TARGET_DIR", justfile_directory() / "target")

# The recipes.
default:
    @just --list --unsorted

# Minutes: format, lints and the tests of Rust, without what needs packages of the system.
check: format lint test

# Formats nothing: says what is not formatted.
format:
    cargo fmt --all --check
    cargo fmt --check --manifest-path fuzz/Cargo.toml

# Clippy, with the client of servers and without.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy --all-targets --locked --no-default-features -- -D warnings

# The documentation of the code, private items too.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items

# No HTTP and TLS without the feature that reads servers, no system libraries with it.
dependencies:
    #!/usr/bin/env bash
    set -euo pipefail
    refused='(reqwest|hyper|aws-lc|openssl-sys|native-tls|cmake|fontconfig)'
    if cargo tree --locked -e normal --no-default-features |
      grep -E "$refused|(ureq|httparse|rustls|ring v|webpki|openssl)"; then
      echo "a dependency brings what a program without the feature live must not have" >&2
      exit 1
    fi
    if cargo tree --locked -e normal,build | grep -E "$refused"; then
      echo "a dependency brings what this program must not have" >&2
      exit 1
    fi

# Licences, sources and advisories of all dependencies; needs cargo-deny and, for advisories, its database.
deny *arguments="check":
    cargo deny --all-features {{arguments}}

# The README's first command: it finds the leaks of the capture, and leaves the committed report as it is.
example:
    #!/usr/bin/env bash
    set -euo pipefail
    main_command=$(grep -m1 '^cargo run --release -- ' README.md)
    status=0
    bash -c "$main_command" || status=$?
    [ "$status" -eq 1 ] || { echo "it exited with $status, expected 1: the capture holds leaks" >&2; exit 1; }
    git diff --exit-code -- reports

# Simulates forty nights of the nightly job, once for each seed and form of log.
nights seeds="1":
    cargo run --release --locked --example nightly -- {{seeds}}

# A leak from end to end, with Node: a server that leaks, load, and which route it was. Needs `just example`.
leak seconds="120":
    examples/leaky-node/run.sh {{seconds}} "$(mktemp -d)" "{{target}}/release/leaktrend"

# The extension is named too, so that both are built of the same crates once: alone they would turn on other features.
# The program as it is packaged, and its size.
dist:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --profile dist --locked --bins --package leaktrend --package leaktrend-python
    size=$(stat -c %s "{{target}}/dist/leaktrend")
    [ "$size" -le 36000000 ] || { echo "the program has $size bytes, expected at most 36 MB" >&2; exit 1; }

# The Debian package, installed and used in a copy of this system: as root, after `just dist`.
package:
    packaging/test

# The Python wheel: builds and checks it.
wheel:
    packaging/build-wheel

# The tests of the wheel; `just test-wheel -m slow` those with Spark.
test-wheel *arguments:
    LEAKTREND_REQUIRE_PROGRAM=1 LEAKTREND_PROGRAM="{{target}}/dist/leaktrend" python/test "" {{arguments}}

# Spark with two workers, against one machine. Needs Java.
spark: (test-wheel "-m" "slow" "-k" "local-cluster")

# The notebook, in an environment of its own.
notebook:
    notebooks/run

# Not `tables`: the decoders of polars may panic on damaged files, which the program catches and a fuzzer does not.
# Fuzzes every parser and the whole program, each for so many seconds.
fuzz seconds="3":
    fuzz/run {{seconds}} $(basename -s .rs -a fuzz/targets/*.rs | grep -vx tables)

# All tests of Rust: the README's second command.
test *arguments:
    cargo test --locked {{arguments}}

# Writes anew what tests expect: look at the difference.
update:
    LEAKTREND_UPDATE=1 cargo test --test all cases:: || true
    LEAKTREND_UPDATE=1 cargo test --test all docs::every || true
    LEAKTREND_UPDATE=1 cargo test --test all ci:: || true
    INSTA_UPDATE=always LEAKTREND_UPDATE=1 cargo test --lib
