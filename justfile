# The handful of commands a developer uses. `just` lists them.

_:
    @just --list

# The whole mission on this machine: build, publish, refuse.
rehearse:
    cargo longshore rehearse

# All tests.
test:
    cargo test --workspace --locked

# What the gate runs, without installing anything.
check: format-check lint test

# Format everything.
format:
    cargo fmt --all
    terraform fmt -recursive infra

format-check:
    cargo fmt --all --check
    terraform fmt -check -recursive infra

# Lints, warnings as errors.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# Write generated documents and snapshots anew.
bless:
    LONGSHORE_BLESS=1 cargo test --package receipts --locked
    INSTA_UPDATE=always cargo test --workspace --locked

# Draw the diagrams.
diagrams:
    docs/diagrams/render
