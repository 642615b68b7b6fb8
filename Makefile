# Naru. `make run` shows it, `make test` checks it, `make help` lists the rest.

CARGO ?= cargo
export CARGO_TARGET_DIR ?= $(CURDIR)/target
NARU := $(CARGO_TARGET_DIR)/debug/naru

.PHONY: help run test lint deps build bench bench-policies bench-batch bench-journal bench-messages bench-consents fuzz clean

help:
	@echo "make run          build, start the practice world and the gateway, take the tour, keep serving"
	@echo "make run ONCE=1   the same, and stop after the tour; non-zero if a step went wrong"
	@echo "make test         everything: formatting, lints, unit, scenario and third-party tests"
	@echo "make bench        measure beside other programs and write docs/performance.md"
	@echo "make bench-policies  measure access decisions at 10, 100 and 1,000 policies"
	@echo "make bench-batch  a million records of batch files: how fast, and in how much memory"
	@echo "make bench-journal  entries a second beside the disk's own rate; proofs in logs of up to 10^7 entries"
	@echo "make bench-messages  measure one telegram and one SOAP envelope, there and back"
	@echo "make bench-consents  look consents up among ten thousand, a million and ten million (wants 12 GB of disk)"
	@echo "make fuzz         run every fuzz target for a minute (wants the nightly toolchain)"
	@echo "make deps         install what the above need"

run: deps build
	@$(NARU) world --root . --directory target/world $(if $(ONCE),--once)

test: deps lint build
	$(CARGO) nextest run --workspace --no-fail-fast
	$(NARU) mapping test mappings/catalog
	$(NARU) policy test sandbox/config/policies
	scripts/contract-check

lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) deny --log-level error check licenses bans sources

build:
	@echo "building (the first build takes some minutes)"
	$(CARGO) build --locked -p naru

deps:
	@scripts/install

bench: deps
	integration-tests/bench/run.sh

bench-policies:
	$(CARGO) run --release --locked -q -p naru --example policy_speed

bench-batch:
	$(CARGO) run --release --locked -q -p mappings --example batch_speed

bench-journal:
	$(CARGO) run --release --locked -q -p gateway-journal --example append
	$(CARGO) run --release --locked -q -p gateway-journal --example proofs

bench-messages:
	$(CARGO) run --release --locked -q -p mappings --example message_speed

bench-consents:
	$(CARGO) run --release --locked -q -p gateway-store --example consent_speed -- 10000 1000000 10000000

fuzz:
	scripts/fuzz

clean:
	$(CARGO) clean
	rm -rf target
