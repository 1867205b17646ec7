# `just check` is what CI runs.

# What CI runs, in CI's order.
check:
    bash .ci/run

# All tests.
test *ARGS:
    cargo test --locked {{ARGS}}

# The benchmarks.
bench *ARGS:
    cargo bench --locked {{ARGS}}

# Formats the code.
fmt:
    cargo fmt
