# SPDX-License-Identifier: Apache-2.0
# Meson and Ninja do the work; this file gives it short names. Every target installs what it needs first (tools/deps).
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
NINJA = ninja -C $(BUILD)

.PHONY: all deps deps-test build tests demo test test-long simulate crash-all asan tsan fuzz bench bench-% lint coverage docs install package clean example-pytorch

all: build

deps:
	@tools/deps build

deps-test: deps
	@tools/deps test

$(BUILD)/build.ninja: | deps
	CC="$(CC)" meson setup $(BUILD) --prefix=$(PREFIX) --werror

build: deps $(BUILD)/build.ninja
	$(NINJA) isobar

tests: build
	$(NINJA)

demo: build
	@tools/deps demo
	$(BUILD)/isobar demo --out $(BUILD)/demo

test: tests
	@tools/deps scenario
	tools/run-tests --build $(BUILD) check unit corpus scenario

test-long: tests deps-test
	tools/run-tests --build $(BUILD) interop faults sanitizers example

# Every boundary of the journal with every fault: hours.
simulate: tests
	ISOBAR_SIMULATE_SEEDS=10000 tests/faults/test_simulation.sh $(BUILD)

crash-all: tests
	@tools/deps scenario
	ISOBAR_CRASH_ALL=1 tests/faults/test_crash.py $(BUILD)

asan: deps
	tools/sanitize asan

tsan: deps
	tools/sanitize tsan

fuzz: deps deps-test
	tools/fuzz

bench: build
	tools/bench $(BUILD)

bench-%: build
	tools/bench $(BUILD) $*

lint: deps-test
	tools/lint $(BUILD)

coverage: deps-test
	tools/coverage

docs: build
	tools/docs $(BUILD)

example-pytorch: build
	@tools/deps pytorch
	tests/example/test_pytorch.sh $(BUILD)

install: build
	@meson setup --reconfigure $(BUILD) --prefix=$(PREFIX) >/dev/null
	DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild

package: build
	@tools/deps package
	tools/package $(BUILD)

clean:
	rm -rf $(BUILD) build-asan build-tsan build-fuzz build-coverage
